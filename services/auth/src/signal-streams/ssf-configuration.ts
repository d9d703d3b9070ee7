import { openRoute } from '@reeve/service-kit';
import { z } from 'zod';
import { pollMethod, pushMethod } from './stream.ts';

const configuration = z.looseObject({ spec_version: z.string(), issuer: z.string(), jwks_uri: z.string() });

export const ssfConfiguration = ({ issuer }: { issuer: string }) =>
  openRoute({
    method: 'get',
    path: '/.well-known/ssf-configuration',
    summary: 'What this issuer transmits (Shared Signals Framework 1.0 §7)',
    open: 'where things are is for everybody',
    answer: 'json',
    crossOrigin: true,
    response: configuration,
    handle: () =>
      Promise.resolve({
        body: {
          spec_version: '1_0',
          issuer,
          jwks_uri: `${issuer}/jwks`,
          delivery_methods_supported: [pushMethod, pollMethod],
          configuration_endpoint: `${issuer}/ssf/streams`,
          status_endpoint: `${issuer}/ssf/status`,
          add_subject_endpoint: `${issuer}/ssf/subjects/add`,
          remove_subject_endpoint: `${issuer}/ssf/subjects/remove`,
          verification_endpoint: `${issuer}/ssf/verification`,
          critical_subject_members: ['user', 'session'],
          authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6749' }],
          default_subjects: 'ALL',
        },
      }),
  });
