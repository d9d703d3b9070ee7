import { alert, escaped, page } from './page.ts';

export type DemoUser = { email: string; password: string; givenName: string; familyName: string };

const person = ({ email, password, givenName, familyName }: DemoUser) =>
  `<li>${escaped(`${givenName} ${familyName}`)}: <code>${escaped(email)}</code>, password <code>${escaped(password)}</code></li>`;

/** It says who there is: this is a demo, and a newcomer cannot know. */
export function loginPage(users: readonly DemoUser[], refused?: { email: string }): string {
  const about = refused ? ' aria-describedby="problem" aria-invalid="true"' : '';
  return page(
    'Demo identity provider',
    `<p>Sign in with your company account.</p>
${refused ? alert('Address or password is wrong.') : ''}
<form method="post">
<label for="email">Email</label>
<input id="email" name="email" type="email" autocomplete="username" required autofocus value="${escaped(refused?.email ?? '')}"${about}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required${about}>
<button>Sign in</button>
</form>
<h2>Who can sign in</h2>
<ul>${users.map(person).join('')}</ul>`,
  );
}
