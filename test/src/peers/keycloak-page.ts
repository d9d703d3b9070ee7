// Keycloak's pages, as a person finds their way on them.
import type { Page } from 'playwright-core';
import type { Person } from './keycloak-realm.ts';

const passwordOn = (page: Page) => page.getByLabel('Password', { exact: true });
const signInOn = (page: Page) => page.getByRole('button', { name: 'Sign In' });

export async function logIn(page: Page, { username, password }: Pick<Person, 'username' | 'password'>): Promise<void> {
  await page.getByLabel('Username or email').fill(username);
  await passwordOn(page).fill(password);
  await signInOn(page).click();
}

/** Where Keycloak knows who it is, and wants to be sure. */
export async function confirm(page: Page, { password }: Pick<Person, 'password'>): Promise<void> {
  await page.getByText('Please re-authenticate to continue').waitFor();
  await passwordOn(page).fill(password);
  await signInOn(page).click();
}
