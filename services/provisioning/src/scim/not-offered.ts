// What directories ask for and is not here yet says so, in SCIM's own words.
import { ProblemError } from '@reeve/contracts';
import { directoryRoute } from './scim-user.ts';

const notOffered = (method: 'get' | 'post' | 'put' | 'delete', path: string) =>
  directoryRoute({
    method,
    path: `/scim/v2/{directoryId}/${path}`,
    summary: 'Not offered yet',
    handle() {
      throw new ProblemError('scim_not_offered');
    },
  });

export const notOfferedInScim = () => [
  notOffered('put', 'Users/{userId}'),
  notOffered('delete', 'Users/{userId}'),
  notOffered('get', 'Groups'),
  notOffered('post', 'Groups'),
  notOffered('post', 'Bulk'),
  notOffered('get', 'ServiceProviderConfig'),
  notOffered('get', 'ResourceTypes'),
  notOffered('get', 'Schemas'),
];
