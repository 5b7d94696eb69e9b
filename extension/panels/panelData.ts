import { join } from 'node:path';
import { RunFeed, type RunNews } from '../../experiments/store/runFeed.ts';
import { isActive } from '../../experiments/status.ts';
import type { RunSummary, Series, ToPanelMessage } from '../../protocol/panelMessages.ts';
import { isRunId } from '../../protocol/runFolder.ts';
import type { RunCollection } from '../../experiments/store/runCollection.ts';

/** The runs that a panel shows, read whole once and then as they grow. */
export class PanelData {
  #feeds = new Map<string, RunFeed>();
  #summaries = new Map<string, RunSummary>();
  #seen = new Map<string, unknown>();
  #removed = new Set<string>();

  constructor(readonly collection: RunCollection) {}

  /** Everything of the runs that are there. */
  async snapshot(ids: readonly string[]): Promise<{ runs: RunSummary[]; series: Series[]; missing: string[] }> {
    for (const feed of this.#feeds.values()) feed.restart();
    this.#removed.clear();
    const there = ids.filter((id) => this.#isThere(id));
    const news = await Promise.all(there.map((id) => this.#read(id)));
    return {
      runs: news.map(({ summary }) => summary),
      series: news.flatMap(({ series }) => series),
      missing: ids.filter((id) => !there.includes(id)),
    };
  }

  /** What is new of the runs since the last call; undefined when nothing is. Runs that ended are not read again. */
  async news(ids: readonly string[]): Promise<Extract<ToPanelMessage, { type: 'curves/append' }> | undefined> {
    const removed = ids.filter((id) => !this.#isThere(id) && !this.#removed.has(id));
    for (const id of removed) this.#removed.add(id);
    const runs: RunSummary[] = [];
    const series: Series[] = [];
    for (const id of ids) {
      const overview = this.collection.runs.get(id);
      if (!overview || (!isActive(overview.state) && this.#seen.get(id) === overview)) continue;
      const before = JSON.stringify(this.#summaries.get(id));
      const news = await this.#read(id);
      series.push(...news.series);
      if (JSON.stringify(news.summary) !== before) runs.push(news.summary);
    }
    if (runs.length === 0 && series.length === 0 && removed.length === 0) return undefined;
    return { type: 'curves/append', runs, series, removed };
  }

  /** Summaries alone; a run is read again only when it changed. */
  async summaries(ids: readonly string[]): Promise<RunSummary[]> {
    return Promise.all(
      ids.map(async (id) => {
        const overview = this.collection.runs.get(id);
        const known = this.#summaries.get(id);
        if (known && this.#seen.get(id) === overview) return known;
        return (await this.#read(id)).summary;
      }),
    );
  }

  #isThere(id: string): boolean {
    return isRunId(id) && this.collection.runs.has(id);
  }

  async #read(id: string): Promise<RunNews> {
    let feed = this.#feeds.get(id);
    if (!feed) {
      feed = new RunFeed(join(this.collection.folder, id), id, this.collection.liveness);
      this.#feeds.set(id, feed);
    }
    this.#seen.set(id, this.collection.runs.get(id));
    const news = await feed.read(Date.now());
    this.#summaries.set(id, news.summary);
    return news;
  }
}
