import { expect, test } from '@jest/globals';
import { publicPath } from './public-path.ts';

test.each([
  ['/setup/secret', '/setup/…'],
  ['/setup/secret/test?x=secret', '/setup/…/test'],
  ['/setup-tests/test-1/return/con_1?code=secret', '/setup-tests/test-1/return/con_1'],
  ['/auth?state=secret', '/auth'],
  ['http://reeve.example/setup/secret', 'http://reeve.example/setup/…'],
  ['/v1/tenants/acme', '/v1/tenants/acme'],
])('the path of %s is told as %s', (url, told) => {
  expect(publicPath(url)).toBe(told);
});
