import { h, setText } from './dom.ts';

interface Question {
  title: string;
  text: string;
  /** What the button that does it says. */
  yes: string;
  /** Fields to fill in. */
  fields?: readonly HTMLElement[];
  /** Says what it would do, before it is done; undefined: nothing more is known. */
  preview?: () => Promise<string> | undefined;
  /** Does it. What it throws is shown, and the question stays. */
  act: () => Promise<unknown>;
}

/** Asks before something is done. Escape and Cancel do nothing. */
export function confirm({ title, text, yes, fields = [], preview, act }: Question): void {
  const told = h('p', { role: 'status' });
  const button = h('button', { class: 'primary' }, yes);
  const dialog = h(
    'dialog',
    { 'aria-labelledby': 'dialog-title', onclose: () => dialog.remove() },
    h(
      'form',
      { method: 'dialog', onsubmit: submit, oninput: look },
      h('h2', { id: 'dialog-title' }, title),
      h('p', {}, text),
      ...fields,
      told,
      h('p', { class: 'buttons' }, button, h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel')),
    ),
  );

  function submit(event: Event): void {
    event.preventDefault();
    button.disabled = true;
    act().then(
      () => dialog.close(),
      (error: Error) => {
        button.disabled = false;
        setText(told, error.message);
      },
    );
  }
  let looks = 0;
  function look(): void {
    const mine = ++looks;
    const show = (line: string) => {
      if (mine === looks) setText(told, line);
    };
    preview?.()?.then(show, (error: Error) => show(error.message));
  }

  document.body.append(dialog);
  dialog.showModal();
  look();
}
