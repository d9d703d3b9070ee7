// Requests that take long, as those that read the whole log: of each such route so many are served at a time, and of
// one tenant only a part of that. More are sent away at once: were they left waiting, they would hold a connection and
// whoever asked would ask again. One keeps its place until its work is over, whether somebody still waits for it or
// not.
import { ProblemError, type TenantId } from '@reeve/contracts';
import type { GiveWay, Route } from '@reeve/service-kit';

const retryAfterSeconds = 5;

export const fewAtOnce =
  ({ takesLong }: Pick<GiveWay, 'takesLong'>) =>
  ({ ofOneTenant, inAll = Infinity }: { ofOneTenant: number; inAll?: number }) =>
  (route: Route): Route => {
    const served = new Set<{ tenantId: TenantId | undefined }>();

    function takePlace(tenantId: TenantId | undefined) {
      const own = [...served].filter(one => one.tenantId === tenantId).length;
      if (own >= ofOneTenant || served.size >= inAll) {
        const whose = own >= ofOneTenant ? 'this tenant' : 'all tenants together';
        throw new ProblemError('rate_limited', `${whose} has as many of these as are served at a time`, {
          retryAfterSeconds,
        });
      }
      const place = { tenantId };
      served.add(place);
      return () => void served.delete(place);
    }

    return {
      ...route,
      atMost: `${ofOneTenant} at a time of a tenant${inAll === Infinity ? '' : `, ${inAll} of all tenants`}`,
      async handle(asked) {
        const leave = takePlace(asked.tenantId);
        let isStreamed = false;
        try {
          takesLong(asked.response);
          const reply = await route.handle(asked);
          if (!('stream' in reply)) return reply;
          isStreamed = true;
          return {
            async stream(response) {
              try {
                await reply.stream(response);
              } finally {
                leave();
              }
            },
          };
        } finally {
          if (!isStreamed) leave();
        }
      },
    };
  };
