// How much mail a tenant may have the operator's server send in a day (UTC), to all its contacts together. Whoever
// names an address need not be whose it is.
import type { Cause, TenantId } from '@reeve/contracts';
import { type Clock, type Collections, collection } from '@reeve/store';

type MailDay = { sent: number; forgottenAt: Date };

/** Has the day as its id. */
export const mailDays = collection<MailDay>({ name: 'mail_days', expiresAt: ({ forgottenAt }) => forgottenAt });

export type MailBudget = ReturnType<typeof createMailBudget>;

/** Mails, each to one address. */
const mostADay = 50;
const dayMs = 86_400_000;

export const createMailBudget = ({ days, clock }: { days: Collections<MailDay>; clock: Clock }) => ({
  /** Takes so many mails from what is left of today; false where there are not as many. */
  async take(tenantId: TenantId, mails: number, cause: Cause): Promise<boolean> {
    const now = clock.now();
    let isLeft = false;
    const decide = (day: MailDay | null) => {
      const sent = (day?.sent ?? 0) + mails;
      isLeft = sent <= mostADay;
      const forgottenAt = new Date(now.getTime() + 2 * dayMs);
      return isLeft ? { state: { sent, forgottenAt }, events: [] } : null;
    };
    await days.in(tenantId).change(now.toISOString().slice(0, 10), decide, { cause });
    return isLeft;
  },
});
