// That whoever may have made viewer tokens is gone, or may make none any more: a person who was deactivated, deleted or
// is no administrator now, a client that was deleted or whose own tokens were ended. Their tokens are refused from then
// on; also those that they still make until every service knows of it, which a revocation of what there is would miss.
import { longestAccessTokenMs } from '@reeve/contracts';
import { type Collections, collection } from '@reeve/store';

export type MakerEnd = {
  endedAt: string;
  /** Of one who came back: tokens from then on are good. */
  backAt: string | null;
};
export type MakerEnds = Collections<MakerEnd>;

export const longestViewerMs = 86_400_000;
const marginMs = 3_600_000;

/** By the id of the maker. Kept as long as a token can live that was made by their last access token. */
export const makerEnds = collection<MakerEnd>({
  name: 'audit_viewer_maker_ends',
  expiresAt: ({ endedAt }) => new Date(Date.parse(endedAt) + longestAccessTokenMs + longestViewerMs + marginMs),
});

export const outlives = ({ createdAt }: { createdAt: string }, { backAt }: MakerEnd): boolean =>
  backAt === null || createdAt < backAt;
