// An OpenID provider for tests: npm `oidc-provider` with a few people and a plain sign-in page.
//
// node provider.mjs NODE_MODULES OPTIONS, where OPTIONS is JSON:
//   port, issuer   where it listens (loopback), and what it calls itself
//   client         metadata of the one client
//   accounts       {ID: {password, …claims}}
//   ttl            seconds by kind: AccessToken, IdToken, RefreshToken
//   id_token_claims   whether claims stand in the ID token, not only in UserInfo
// It says `ready` when it can be asked.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import dns from 'node:dns';
import http from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

// Names below localhost are this machine, as for browsers; not every resolver knows that.
const { lookup } = dns;
dns.lookup = (name, ...rest) => lookup(name.endsWith('.localhost') ? '127.0.0.1' : name, ...rest);

const [modules, given] = process.argv.slice(2);
const options = JSON.parse(given);
const entry = pathToFileURL(join(modules, 'oidc-provider', 'lib', 'index.js'));
const { Provider } = await import(entry.href);

function key(kid, alg, kind, parameters) {
  const { privateKey } = generateKeyPairSync(kind, parameters);
  return { ...privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
}

const provider = new Provider(options.issuer, {
  clients: [options.client],
  jwks: {
    keys: [
      key('rsa', 'RS256', 'rsa', { modulusLength: 2048 }),
      key('pss', 'PS256', 'rsa', { modulusLength: 2048 }),
      key('ec', 'ES256', 'ec', { namedCurve: 'P-256' }),
      key('ed', 'EdDSA', 'ed25519'),
    ],
  },
  cookies: { keys: [randomBytes(16).toString('hex')] },
  claims: {
    openid: ['sub'],
    email: ['email', 'email_verified'],
    groups: ['groups'],
    profile: ['name'],
  },
  conformIdTokenClaims: !options.id_token_claims,
  findAccount(ctx, id) {
    const account = options.accounts[id];
    if (!account) return undefined;
    const { password, ...claims } = account;
    return { accountId: id, claims: () => ({ sub: id, ...claims }) };
  },
  features: {
    backchannelLogout: { enabled: true },
    devInteractions: { enabled: false },
    jwtUserinfo: { enabled: true },
    rpInitiatedLogout: { enabled: true, logoutSource },
  },
  // Logout tokens go to this machine, which the library's own dispatcher keeps from.
  fetch: (url, { dispatcher, ...rest }) => globalThis.fetch(url, rest),
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  ttl: { AccessToken: 300, IdToken: 300, RefreshToken: 3600, ...options.ttl },
});

function page(response, status, title, body) {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' });
  response.end(`<!doctype html><html lang="en"><title>${title}</title><h1>${title}</h1>${body}`);
}

function logoutSource(ctx, form) {
  const button = '<button name="logout" value="yes">Sign out</button>';
  ctx.body = `<!doctype html><html lang="en"><title>Sign out</title>${form.replace('</form>', `${button}</form>`)}`;
}

async function body(request) {
  let text = '';
  for await (const piece of request) text += piece;
  return new URLSearchParams(text);
}

function signIn(response, status, words) {
  page(response, status, 'Sign in at the provider', `<p>${words}</p><form method="post">
<label>Name <input name="login" autocomplete="username"></label>
<label>Password <input name="password" type="password" autocomplete="current-password"></label>
<button>Sign in</button> <button name="abort" value="yes">Cancel</button></form>`);
}

async function interaction(request, response) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  const finish = (result, merge) =>
    provider.interactionFinished(request, response, result, { mergeWithLastSubmission: merge });
  if (prompt.name === 'consent') {
    // Everybody agrees to everything.
    const grant = grantId
      ? await provider.Grant.find(grantId)
      : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    const { missingOIDCScope, missingOIDCClaims } = prompt.details;
    if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '));
    if (missingOIDCClaims) grant.addOIDCClaims(missingOIDCClaims);
    return finish({ consent: { grantId: await grant.save() } }, true);
  }
  if (request.method !== 'POST') return signIn(response, 200, '');
  const form = await body(request);
  if (form.get('abort')) return finish({ error: 'access_denied' }, false);
  const login = form.get('login');
  const known = Object.hasOwn(options.accounts, login);
  if (!known || options.accounts[login].password !== form.get('password')) {
    return signIn(response, 401, 'That is not right.');
  }
  return finish({ login: { accountId: login } }, false);
}

const answer = provider.callback();
const server = http.createServer((request, response) => {
  if (!request.url.startsWith('/interaction/')) return answer(request, response);
  return interaction(request, response).catch((error) => {
    page(response, 400, 'No sign-in', `<pre>${error.name}</pre>`);
  });
});
server.listen(options.port, '127.0.0.1', () => console.log('ready'));
