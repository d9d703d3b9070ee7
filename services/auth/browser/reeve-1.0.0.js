/**
 * Reeve in a page of somebody else's: signs people in by the tenant's identity providers and has tokens for the page,
 * bound to a key that never leaves the browser. docs/embedded.md says how to use it. No dependencies; nothing inline,
 * nothing evaluated, no cookies of its own.
 */
(() => {
  'use strict';
  const version = '1.0.0';
  const script = document.currentScript;
  const from = script?.src ? new URL(script.src) : null;
  const pollMs = 1_000;
  const longestMs = 600_000;
  const frameMs = 8_000;
  const openMs = 20_000;
  const early = 20;
  /** Known to the browser alone, until the page tells of it. */
  const seenHere = [
    'blocked_by_csp',
    'blocked_by_cors',
    'frame_blocked',
    'opener_isolated',
    'popup_blocked',
    'timed_out',
  ];

  const base64url = bytes =>
    btoa(String.fromCharCode(...new Uint8Array(bytes)))
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .replaceAll('=', '');
  const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
  const utf8 = text => new TextEncoder().encode(text);
  const sha256 = async text => base64url(await crypto.subtle.digest('SHA-256', utf8(text)));
  const wait = ms => new Promise(done => setTimeout(done, ms));

  class ReeveError extends Error {
    constructor(code, { issuer = '', cause = null } = {}) {
      super(`Reeve: ${code}${cause ? ` (${cause})` : ''}${issuer ? `, see ${issuer}/embed/help#${code}` : ''}`);
      this.name = 'ReeveError';
      this.code = code;
      this.reason = cause;
    }
  }

  /** What outlives the page: the key, which cannot be read, and what is bound to it. In memory where nothing is kept. */
  function openStore(name) {
    let kept = null;
    const opened = new Promise((done, failed) => {
      const request = indexedDB.open('reeve', 1);
      request.onupgradeneeded = () => request.result.createObjectStore('kept');
      request.onsuccess = () => done(request.result);
      request.onerror = () => failed(request.error);
    }).catch(() => null);
    const at = async (mode, ask) => {
      const database = await opened;
      if (!database) return null;
      return new Promise((done, failed) => {
        const request = ask(database.transaction('kept', mode).objectStore('kept'));
        request.onsuccess = () => done(request.result);
        request.onerror = () => failed(request.error);
      });
    };
    return {
      isLasting: async () => (await opened) !== null,
      read: async () => (await at('readonly', store => store.get(name))) ?? kept,
      async write(value) {
        kept = value;
        await at('readwrite', store => (value ? store.put(value, name) : store.delete(name)));
      },
    };
  }

  const newKey = () => crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
  const publicOf = async ({ publicKey }) => {
    const { crv, kty, x, y } = await crypto.subtle.exportKey('jwk', publicKey);
    return { crv, kty, x, y };
  };

  /** RFC 9449 §4.2. */
  async function prove(keys, { method, url, nonce, token }) {
    const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: await publicOf(keys) };
    const { origin, pathname } = new URL(url);
    const claims = { jti: random(), htm: method, htu: origin + pathname, iat: Math.floor(Date.now() / 1_000) };
    if (nonce) claims.nonce = nonce;
    if (token) claims.ath = await sha256(token);
    const text = [header, claims].map(part => base64url(utf8(JSON.stringify(part)))).join('.');
    const by = { name: 'ECDSA', hash: 'SHA-256' };
    return `${text}.${base64url(await crypto.subtle.sign(by, keys.privateKey, utf8(text)))}`;
  }

  /** Of what the token endpoint itself has given over TLS (OpenID Connect Core §3.1.3.7). */
  function claimsIn(idToken) {
    const payload = idToken.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(payload), character => character.charCodeAt(0));
    const { sub, name, email } = JSON.parse(new TextDecoder().decode(bytes));
    return { id: sub, name: name ?? null, email: email ?? null };
  }

  async function createClient({ domain, authKey, url, container, mode: wanted }) {
    const base = new URL(url).origin;
    const store = openStore([base, domain, authKey ?? ''].join(' '));
    const listeners = new Map();
    let config = null;
    let access = null;
    let user = null;
    let nonce;
    let next;
    let waiting = null;
    let renewing = null;
    let timer;
    let forbidden = false;

    document.addEventListener('securitypolicyviolation', ({ blockedURI }) => {
      if (blockedURI.startsWith(base)) forbidden = true;
    });

    function tell(type, detail) {
      for (const listener of listeners.get(type) ?? []) listener(detail);
      document.dispatchEvent(new CustomEvent(`reeve:${type}`, { detail }));
    }

    function failed(code, cause = null) {
      const error = code instanceof ReeveError ? code : new ReeveError(code, { issuer: base, cause });
      console.error(error.message);
      // Without a configuration nothing gets there.
      if (config && seenHere.includes(error.code)) report(error.code);
      tell('error', { code: error.code, reason: error.reason });
      return error;
    }

    async function ask(path, options = {}) {
      try {
        return await fetch(base + path, { credentials: 'omit', ...options });
      } catch {
        // The event of a policy comes after the refusal.
        await wait(50);
        const code = forbidden ? 'blocked_by_csp' : navigator.onLine ? 'blocked_by_cors' : 'offline';
        throw new ReeveError(code, { issuer: base });
      }
    }

    async function configure() {
      const query = new URLSearchParams({ domain, ...(authKey ? { auth_key: authKey } : {}) });
      const answer = await ask(`/embed/config?${query}`);
      const body = await answer.json().catch(() => ({}));
      if (!answer.ok) throw new ReeveError(body.code ?? 'sign_in_failed', { issuer: base });
      config = body;
    }

    /** What a sign-in is begun with: made beforehand, since a window has to be opened in the very click. */
    async function prepare() {
      const kept = await store.read();
      const keys = kept?.keys ?? (await newKey());
      if (!kept) await store.write({ keys });
      const jwk = await publicOf(keys);
      const [state, verifier] = [random(), random()];
      const parameters = {
        domain,
        ...(authKey ? { auth_key: authKey } : {}),
        origin: location.origin,
        state,
        code_challenge: await sha256(verifier),
        dpop_jkt: await sha256(JSON.stringify(jwk)),
      };
      next = { state, verifier, keys, parameters };
    }

    const post = (path, form, headers = {}) => ask(path, { method: 'POST', headers, body: new URLSearchParams(form) });

    /** For the tenant's log. */
    const report = code =>
      void post('/embed/failures', { domain, ...(authKey ? { auth_key: authKey } : {}), code }).catch(() => {});

    async function tokens(form, keys) {
      for (let attempt = 0; ; attempt += 1) {
        const proof = await prove(keys, { method: 'POST', url: `${base}/token`, nonce });
        const query = new URLSearchParams({ domain });
        const answer = await post(`/token?${query}`, { client_id: config.clientId, ...form }, { DPoP: proof });
        nonce = answer.headers.get('DPoP-Nonce') ?? nonce;
        const body = await answer.json();
        if (answer.ok) return body;
        if (body.error === 'use_dpop_nonce' && attempt === 0) continue;
        throw Object.assign(new ReeveError('sign_in_failed', { issuer: base, cause: body.error }), {
          status: answer.status,
        });
      }
    }

    async function take(body, keys) {
      const { access_token: token, expires_in: seconds, refresh_token: refresh, id_token: idToken } = body;
      access = { token, until: Date.now() + (seconds - early) * 1_000 };
      if (idToken) user = claimsIn(idToken);
      await store.write({ keys, refresh, user });
      clearTimeout(timer);
      timer = setTimeout(() => renew().catch(() => {}), Math.max(5, seconds - 2 * early) * 1_000);
    }

    const ofResource = () => (config.resource ? { resource: config.resource } : {});

    async function redeem({ code, iss, error, cause }, { verifier, keys }) {
      if (error) throw new ReeveError(error, { issuer: base, cause });
      // RFC 9207.
      if (iss !== config.issuer) throw new ReeveError('sign_in_failed', { issuer: base, cause: 'issuer_wrong' });
      const redirect = `${base}/embed/callback`;
      const form = { grant_type: 'authorization_code', code, redirect_uri: redirect, code_verifier: verifier };
      await take(await tokens({ ...form, ...ofResource() }, keys), keys);
      tell('signedIn', { user });
      return user;
    }

    /** One at a time in all tabs; whoever comes second finds what the first one got. */
    const alone = work => (navigator.locks ? navigator.locks.request(`reeve ${base} ${domain}`, work) : work());

    function renew() {
      renewing ??= alone(async () => {
        const kept = await store.read();
        if (!kept?.refresh) throw new ReeveError('session_over', { issuer: base });
        try {
          const form = { grant_type: 'refresh_token', refresh_token: kept.refresh };
          await take(await tokens({ ...form, ...ofResource() }, kept.keys), kept.keys);
        } catch (error) {
          if (error.reason !== 'invalid_grant') throw error;
          await forget();
          tell('signedOut', { reason: 'session_over' });
          throw new ReeveError('session_over', { issuer: base });
        }
      }).finally(() => {
        renewing = null;
      });
      return renewing;
    }

    async function forget() {
      clearTimeout(timer);
      access = null;
      user = null;
      await store.write(null);
      await prepare();
    }

    async function picked(begun) {
      const until = Date.now() + longestMs;
      while (waiting === begun) {
        if (Date.now() > until) throw new ReeveError('timed_out', { issuer: base });
        const answer = await post('/embed/pick-up', { domain, state: begun.state });
        if (answer.status === 200) return answer.json();
        if (answer.status !== 204) {
          const { code } = await answer.json().catch(() => ({}));
          throw new ReeveError(code ?? 'sign_in_failed', { issuer: base });
        }
        await wait(pollMs);
      }
      return null;
    }

    function open(begun) {
      const target = `${base}/embed/authorize?${new URLSearchParams({ ...begun.parameters, mode: 'popup' })}`;
      const opened = window.open(target, '_blank', 'popup,width=480,height=680');
      return opened && greet(begun, opened);
    }

    /** The window asks who has opened it: nobody else can have a person sign in for this page. */
    function greet(begun, opened) {
      const { state } = begun;
      let isThere = false;
      const heard = ({ source, origin, data }) => {
        if (source !== opened || origin !== base || data?.type !== 'opened' || data.state !== state) return;
        isThere = true;
        opened.postMessage({ to: 'reeve', state }, base);
      };
      window.addEventListener('message', heard);
      const missing = wait(openMs).then(() => {
        if (isThere || waiting !== begun) return new Promise(() => {});
        throw new ReeveError('opener_isolated', { issuer: base });
      });
      return { missing, remove: () => window.removeEventListener('message', heard) };
    }

    /** A button of ours inside the page, for where the page may open nothing. */
    function frame(begun) {
      const element = document.createElement('iframe');
      element.title = 'Sign in';
      element.width = '320';
      element.height = '220';
      element.src = `${base}/embed/frame?${new URLSearchParams({ ...begun.parameters, mode: 'iframe' })}`;
      const place = typeof container === 'string' ? document.querySelector(container) : container;
      let isThere = false;
      const heard = ({ source, origin, data }) => {
        if (source === element.contentWindow && origin === base && data?.from === 'reeve') isThere = true;
      };
      window.addEventListener('message', heard);
      (place ?? document.body).append(element);
      const missing = wait(frameMs).then(() => {
        if (isThere || waiting !== begun) return new Promise(() => {});
        throw new ReeveError(forbidden ? 'blocked_by_csp' : 'frame_blocked', { issuer: base });
      });
      return {
        missing,
        remove() {
          window.removeEventListener('message', heard);
          element.remove();
        },
      };
    }

    async function leave(begun) {
      if (!(await store.isLasting())) {
        report('cookies_blocked');
        throw new ReeveError('cookies_blocked', { issuer: base });
      }
      const { state, verifier, keys } = begun;
      await store.write({ keys, pending: { state, verifier, hash: location.hash } });
      const back = location.href.split('#')[0];
      const parameters = { ...begun.parameters, mode: 'redirect', return_to: back };
      // By a form, of which the browser says from which page it is.
      const form = document.createElement('form');
      Object.assign(form, { method: 'post', action: `${base}/embed/authorize`, hidden: true });
      for (const [name, value] of Object.entries(parameters))
        form.append(Object.assign(document.createElement('input'), { type: 'hidden', name, value }));
      document.body.append(form);
      form.submit();
      await wait(frameMs);
      form.remove();
      throw new ReeveError(forbidden ? 'blocked_by_csp' : 'timed_out', { issuer: base });
    }

    const isFramed = window.top !== window;

    async function signIn({ mode = wanted ?? config?.mode ?? 'auto' } = {}) {
      const begun = next;
      next = null;
      let shown = null;
      try {
        if (!config || !begun) throw new ReeveError('sign_in_failed', { issuer: base, cause: 'not_ready' });
        waiting = begun;
        if (mode === 'popup' || mode === 'auto') shown = open(begun);
        if (mode === 'popup' && !shown) throw new ReeveError('popup_blocked', { issuer: base });
        // An identity provider is shown in no frame.
        if (!shown && (mode === 'redirect' || (mode === 'auto' && !isFramed))) return await leave(begun);
        shown ??= frame(begun);
        const outcome = await Promise.race([picked(begun), shown.missing]);
        return outcome && (await redeem(outcome, begun));
      } catch (error) {
        throw failed(error instanceof ReeveError ? error : new ReeveError('sign_in_failed', { issuer: base }));
      } finally {
        shown?.remove();
        if (waiting === begun) waiting = null;
        await prepare();
      }
    }

    /** Null where nobody is signed in. Throws for what may be gone in a moment. */
    async function getToken() {
      if (access && access.until > Date.now()) return access.token;
      if (!(await store.read())?.refresh) return null;
      try {
        await renew();
      } catch (error) {
        if (error.code === 'session_over') return null;
        throw failed(error);
      }
      return access?.token ?? null;
    }

    async function authorized(input, init = {}) {
      const request = new Request(input, init);
      const token = await getToken();
      if (!token) throw new ReeveError('session_over', { issuer: base });
      const { keys } = await store.read();
      request.headers.set('Authorization', `DPoP ${token}`);
      request.headers.set('DPoP', await prove(keys, { method: request.method, url: request.url, token }));
      return fetch(request);
    }

    async function signOut() {
      const kept = await store.read();
      await forget();
      if (kept?.refresh) await post('/embed/sign-out', { domain, token: kept.refresh }).catch(failed);
      tell('signedOut', { reason: 'asked' });
    }

    /** Of a page that was left for the sign-in and is come back to. */
    async function resume() {
      const answer = new URLSearchParams(location.hash.slice(1));
      const state = answer.get('reeve_state');
      const kept = await store.read();
      if (!state) return kept;
      const { pending, keys } = kept ?? {};
      // Whole: a path that begins with two slashes would be an address of another host.
      const here = location.origin + location.pathname + location.search;
      history.replaceState(history.state, '', here + (pending?.hash ?? ''));
      // Somebody else's, or one from before.
      if (pending?.state !== state) return kept;
      await store.write({ keys });
      const said = name => answer.get(`reeve_${name}`);
      const outcome = { code: said('code'), iss: said('iss'), error: said('error'), cause: said('cause') };
      await redeem(outcome, { ...pending, keys });
      return null;
    }

    const client = {
      domain,
      authKey: authKey ?? null,
      get user() {
        return user;
      },
      get isSignedIn() {
        return user !== null;
      },
      on(type, listener) {
        listeners.set(type, [...(listeners.get(type) ?? []), listener]);
        return client;
      },
      signIn,
      signOut,
      getToken,
      fetch: authorized,
      /** Gives up a sign-in that somebody has begun. */
      cancel() {
        waiting = null;
      },
    };

    try {
      await configure();
      const kept = await resume();
      if (kept?.refresh) {
        user = kept.user ?? null;
        await getToken();
        if (user) tell('signedIn', { user });
      }
    } catch (error) {
      failed(error instanceof ReeveError ? error : new ReeveError('sign_in_failed', { issuer: base }));
    }
    await prepare();
    return client;
  }

  const said = (name, parameter) => from?.searchParams.get(parameter) ?? script?.dataset[name] ?? null;

  const Reeve = {
    version,
    ReeveError,
    /** Of the page’s own address where neither the call nor the script’s address says it. */
    init(options = {}) {
      const domain = options.domain ?? said('domain', 'domain');
      const inPage = new URLSearchParams(location.search).get('auth_key');
      const authKey = options.authKey ?? said('authKey', 'auth_key') ?? inPage;
      const url = options.url ?? from?.origin;
      if (!domain || !url) throw new ReeveError('unknown_auth_key');
      Reeve.ready = createClient({ ...options, domain, authKey, url });
      return Reeve.ready;
    },
    ready: null,
  };

  // Buttons of a page that has no script of its own.
  document.addEventListener('click', ({ target }) => {
    const asked = target instanceof Element && target.closest('[data-reeve]')?.dataset.reeve;
    if (!asked || !Reeve.ready) return;
    Reeve.ready.then(client => (asked === 'sign-in' ? client.signIn() : client.signOut())).catch(() => {});
  });

  window.Reeve = Reeve;
  if (said('domain', 'domain')) Reeve.init().catch(() => {});
})();
