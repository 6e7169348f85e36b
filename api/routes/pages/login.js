/* global document, fetch, location */
const find = (id) => document.getElementById(id);

async function call(method, body) {
  const answer = await fetch('/v1/auth/session', {
    method,
    headers: body ? { 'Content-Type': 'application/json' } : {},
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  return { ok: answer.ok, value: text ? JSON.parse(text) : undefined };
}

function show(session) {
  find('signed-in').hidden = !session;
  find('token-form').hidden = Boolean(session);
  find('client-form').hidden = Boolean(session);
  if (!session) return;
  find('who').textContent = `Signed in as ${session.subject} until ${new Date(session.expiresAt).toLocaleString()}.`;
}

async function signIn(event, body) {
  event.preventDefault();
  const { ok, value } = await call('POST', body);
  find('message').textContent = ok ? '' : `${value.detail} ${value.hint}`;
  if (ok) show(value);
}

find('token-form').addEventListener('submit', (event) => signIn(event, { token: find('token').value.trim() }));
find('client-form').addEventListener('submit', (event) =>
  signIn(event, { client_id: find('client_id').value.trim(), client_secret: find('client_secret').value }),
);
find('sign-out').addEventListener('click', async () => {
  await call('DELETE');
  show(undefined);
});

find('endpoint').textContent = `${location.origin}/v1/codec`;
const settings = await fetch('/login/settings.json').then((answer) => answer.json());
find('temporal').href = settings.temporalUiUrl;
const session = await call('GET');
show(session.ok ? session.value : undefined);
