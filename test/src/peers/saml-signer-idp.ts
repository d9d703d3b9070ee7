// An identity provider of pysaml2, as infra/local/engines/pysaml2/idp.py makes them. Knows nothing of Reeve.
import type { SamlSigner } from '@reeve/local/saml-signer';
import type { Page } from 'playwright-core';

export type IdpWanted = {
  people: { username: string; password: string; attributes: Record<string, string[]> }[];
  signAssertion?: boolean;
  signResponse?: boolean;
  /** Always with Triple DES: pysaml2 has no choice. */
  encryptAssertion?: boolean;
  wantRequestsSigned?: boolean;
  bySha1?: boolean;
};

/**
 * What is wrong with it: the status that it answers with, or parts of its answer, as pysaml2 names them, as they are
 * before it signs them; null for one that is left out.
 */
export type Wrongs = { status: string } | { parts: Record<string, string | [] | null> };

export async function makeIdp({ url }: SamlSigner, wanted: IdpWanted) {
  const made = await fetch(`${url}/idps`, { method: 'POST', body: JSON.stringify(wanted) });
  if (!made.ok) throw new Error(`pysaml2: ${await made.text()}`);
  const urls = (await made.json()) as { metadataUrl: string; unsolicitedUrl: string; signOutUrl: string };
  const { metadataUrl } = urls;
  const put = async (address: string, body: string): Promise<void> => {
    const answer = await fetch(address, { method: 'PUT', body });
    if (!answer.ok) throw new Error(`pysaml2: ${await answer.text()}`);
  };

  return {
    /** `unsolicitedUrl` is where a person begins who comes from there. */
    ...urls,
    /** Without it, it knows no service provider. */
    meet: (serviceProviderMetadata: string) => put(metadataUrl, serviceProviderMetadata),
    /** From now on. */
    isWrong: (wrongs: Wrongs | null) => put(metadataUrl.replace(/metadata$/, 'wrongs'), JSON.stringify(wrongs ?? {})),
    async logIn(page: Page, { username, password }: { username: string; password: string }): Promise<void> {
      await page.getByLabel('Username').fill(username);
      await page.getByLabel('Password').fill(password);
      await page.getByRole('button', { name: 'Sign in' }).click();
    },
  };
}
