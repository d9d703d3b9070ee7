// What lies in this service's database.
import type { Contents } from '@reeve/store';
import { vaultCollections } from '@reeve/vault';
import { alerts } from './alerts/alert.ts';
import { ruleSettings } from './alerts/rule-settings.ts';
import { evidenceCollections } from './evidence/evidence-package.ts';
import { logCollections } from './log/log.ts';
import { signingKeyCollections } from './log/signing-key.ts';
import { deletionRequests } from './removal/deletion-request.ts';
import { holds } from './removal/legal-hold.ts';
import { turns } from './removal/removal-turn.ts';
import { policies } from './removal/retention-policy.ts';
import { savedViews } from './search/saved-view.ts';
import { runs } from './sinks/run.ts';
import { sinks } from './sinks/sink.ts';
import { makerEnds } from './viewers/maker-end.ts';
import { viewers } from './viewers/viewer-token.ts';

export const contents: Contents = {
  collections: [
    ...logCollections,
    ...signingKeyCollections,
    ...vaultCollections,
    savedViews,
    viewers,
    makerEnds,
    sinks,
    runs,
    alerts,
    ruleSettings,
    policies,
    holds,
    deletionRequests,
    turns,
    ...evidenceCollections,
  ],
};
