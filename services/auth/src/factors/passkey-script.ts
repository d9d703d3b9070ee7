// The script of passkeys: one is used by a call that HTML has no form for. Without it, or in a browser that
// has no passkeys, the form stays hidden, and the person goes on with something else.
import { pageScript } from '@reeve/service-kit';

export const passkeyScriptPath = '/passkeys.js';

const script = `'use strict';
for (const form of document.querySelectorAll('form[data-passkey]')) {
  const key = window.PublicKeyCredential;
  if (!key || !key.parseRequestOptionsFromJSON) continue;
  form.hidden = false;
  for (const one of document.querySelectorAll('[data-without-passkeys]')) one.hidden = true;
  form.addEventListener('submit', async event => {
    event.preventDefault();
    const complaint = form.querySelector('[role=alert]');
    complaint.hidden = true;
    try {
      const options = JSON.parse(form.dataset.options);
      const credential =
        form.dataset.passkey === 'create'
          ? await navigator.credentials.create({ publicKey: key.parseCreationOptionsFromJSON(options) })
          : await navigator.credentials.get({ publicKey: key.parseRequestOptionsFromJSON(options) });
      form.elements.credential.value = JSON.stringify(credential);
      form.submit();
    } catch {
      complaint.hidden = false;
    }
  });
}
`;

export const passkeyScript = () =>
  pageScript({ path: passkeyScriptPath, summary: 'The script by which pages use passkeys', script });
