import { join } from 'node:path';
import { sweepsFolder } from '../../protocol/runFolder.ts';
import { cellResults, sweepPage, type CellResult } from '../sweepResults.ts';
import { readCells } from './readCells.ts';
import { readSweep } from './readSweep.ts';

/** What is kept of a sweep when its run folders are gone. */
export interface SweepSummary {
  sweep: string;
  sweepFile: string;
  createdAt: string;
  commits: string[];
  cells: CellResult[];
}

/** A sweep's results as a page and as data, from its run folders. */
export async function sweepResultsOf(
  id: string,
  runsFolder: string,
  { comment, sweepFile }: { comment: readonly string[]; sweepFile: string },
): Promise<{ page: string; summary: SweepSummary }> {
  const { record, problems } = await readSweep(join(runsFolder, sweepsFolder, id));
  if (!record) throw new Error(`internal: the sweep ${id} can't be read: ${problems.join('; ')}`);
  const runs = await readCells(record, runsFolder);
  const commits = [...new Set(runs.flatMap(({ commit }) => (commit === null ? [] : [commit])))];
  return {
    page: sweepPage({ comment, sweepFile, runs }),
    summary: { sweep: id, sweepFile, createdAt: record.createdAt, commits, cells: cellResults(runs) },
  };
}
