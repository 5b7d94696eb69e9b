# Unpacks what scripts/deviceBundle.mjs gathered and finds the Vulkan driver; to be sourced: `. ./setup.sh`.
# Sets: run (where everything lies), PATH with node, VK_DRIVER_FILES and LD_LIBRARY_PATH where they are needed.
bundle=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
run=${RUN_FOLDER:-/tmp/gpu}
mkdir -p "$run"

unpack() { # xz, or Python where there is none
  if command -v xz >/dev/null; then xz -dc "$1"
  else python3 -c 'import lzma, shutil, sys; shutil.copyfileobj(lzma.open(sys.argv[1]), sys.stdout.buffer, 1 << 20)' "$1"; fi
}
[ -x "$run/node" ] || unpack "$bundle/native.tar.xz" | tar -xf - -C "$run"
cp "$bundle"/*.mjs "$bundle/torchPeer.py" "$run/"
export PATH="$run:$PATH"

# Loaders go where the driver's own libraries look for them; where that may not be written, beside the rest.
libraries() { # FOLDER-OF-PACKAGES TARGET
  mkdir -p "$2"
  for package in "$bundle/$1"/*.deb; do dpkg -x "$package" "$2" || echo "setup: $package could not be unpacked"; done
}
known() { ldconfig -p 2>/dev/null | grep -q "$1"; }
if ! known libvulkan.so.1 && [ "$(id -u)" = 0 ] && [ -z "${KEEP_ROOT:-}" ]; then
  libraries loaders /
  ldconfig
fi
if ! known libvulkan.so.1 || [ -n "${KEEP_ROOT:-}" ]; then
  libraries loaders "$run/libraries"
  export LD_LIBRARY_PATH="$run/libraries/usr/lib/x86_64-linux-gnu${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
fi
# The driver's Vulkan library links to X's clients.
driver=$(ldconfig -p 2>/dev/null | sed -n 's/.*libGLX_nvidia\.so\.0 .*=> //p' | head -1)
[ -n "$driver" ] || driver=$(ls /usr/local/nvidia/lib*/libGLX_nvidia.so.0 2>/dev/null | head -1)
if [ -n "$driver" ] && ldd "$driver" 2>/dev/null | grep -q 'libX.*not found'; then
  libraries clients "$run/clients"
  export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$run/clients/usr/lib/x86_64-linux-gnu"
fi

if [ -z "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}" ]; then
  for place in /usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json /etc/vulkan/icd.d/nvidia_icd.json \
    /usr/share/vulkan/icd.d/nvidia_icd.json; do
    if [ -f "$place" ]; then export VK_DRIVER_FILES=$place; break; fi
  done
  if [ -z "${VK_DRIVER_FILES:-}" ]; then
    place=$(find / -xdev -name 'nvidia_icd*.json' -not -path '/proc/*' 2>/dev/null | head -1)
    [ -z "$place" ] || export VK_DRIVER_FILES=$place
  fi
fi
egl=/usr/local/nvidia/share/glvnd/egl_vendor.d/10_nvidia.json
if [ -z "${__EGL_VENDOR_LIBRARY_FILENAMES:-}" ] && [ -f "$egl" ]; then export __EGL_VENDOR_LIBRARY_FILENAMES=$egl; fi
export XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-$run}

echo "node $(node --version); Vulkan driver ${VK_DRIVER_FILES:-${VK_ICD_FILENAMES:-chosen by the loader}};" \
  "libraries ${LD_LIBRARY_PATH:-of the system}; driver library ${driver:-not found}"
