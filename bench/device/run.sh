#!/bin/bash
# Measures the GPU of this machine with what lies beside it: what WebGPU offers, training steps against PyTorch, the time of each kernel.
# Everything goes to the standard output and to files in $OUT (default: ./out). A stage that fails or takes too long does not stop the next;
# all of them together get BUDGET_S seconds (default 400). What is measured: the variables below.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${OUT:-$here/out}
stages=${STAGES:-probe small large profile}
case=${CASE:-vitS16}
small=${SMALL:-32}
large=${LARGE:-128}
profiled=${PROFILED:-$small}
engines=${ENGINES:-webgpu}
peers=${PEERS:-fp32,tf32,bf16,bf16-compiled}
device=${DEVICE:-cuda}
limits=(--steps "${STEPS:-20}" --seconds "${SECONDS_EACH:-12}" --patience "${PATIENCE_S:-110}")
end=$(($(date +%s) + ${BUDGET_S:-400}))

mkdir -p "$out"
. "$here/setup.sh" >"$out/setup.log" 2>&1
cat "$out/setup.log"
cd "$run" || exit 1
export TORCHINDUCTOR_CACHE_DIR=$run/inductor

stage() { # NAME SECONDS-AT-MOST SECONDS-FOR-THE-NEXT COMMAND...
  local name=$1 limit=$2 left=$((end - $(date +%s) - $3)) began
  shift 3
  case " $stages " in *" $name "*) ;; *) return ;; esac
  [ "$limit" -le "$left" ] || limit=$left
  echo
  if [ "$limit" -lt 10 ]; then
    echo "== $name: no time left"
    return
  fi
  echo "== $name (at most $limit s): $*"
  began=$(date +%s)
  timeout -k 5 "$limit" "$@" 2>&1 | tee "$out/$name.log"
  echo "== $name: exit code ${PIPESTATUS[0]}, $(($(date +%s) - began)) s"
}

stage probe 60 0 node gpuProbe.mjs
stage small 260 60 node gpu.mjs --case "$case" --batch "$small" --engine "$engines" --peer "$peers" --device "$device" "${limits[@]}"
stage large 260 50 node gpu.mjs --case "$case" --batch "$large" --engine "$engines" --peer "$peers" --device "$device" "${limits[@]}"
# Only ONNX Runtime writes a trace.
rm -f "$run"/trace*.json
stage profile 120 0 node gpu.mjs --case "$case" --batch "$profiled" --engine webgpu --profile "$run/trace"
if ls "$run"/trace*.json >/dev/null 2>&1; then cat "$run"/trace*.json | gzip -9 >"$out/trace.json.gz"; fi

echo
echo "== summary"
for name in small large; do
  [ ! -f "$out/$name.log" ] || grep -E 'images/s, first loss|^loss ours|crops each,' "$out/$name.log"
done
exit 0
