import { setToken, token } from './api.ts';
import { h } from './dom.ts';
import type { Page } from './page.ts';

/** Asks for the token. @param onToken called when there is one */
export function loginPage(onToken: () => void): Page {
  const wasRefused = token() !== null;
  const field = h('input', { type: 'password', id: 'token', autocomplete: 'current-password', required: true });
  const submit = (event: Event) => {
    event.preventDefault();
    setToken(field.value);
    onToken();
  };
  return {
    title: 'Log in',
    element: h(
      'section',
      {},
      h('h1', {}, 'Log in'),
      h('p', {}, 'The admin API wants its token, which is ', h('code', {}, 'admin.token'), ' of the configuration.'),
      h(
        'form',
        { class: 'filter', onsubmit: submit },
        h('label', { for: 'token' }, 'Token'),
        field,
        h('button', { class: 'primary' }, 'Log in'),
      ),
      wasRefused && h('p', { role: 'alert', class: 'panel bad' }, 'The token was refused.'),
      h('p', { class: 'faint' }, 'It is kept until this tab is closed.'),
    ),
    update() {},
  };
}
