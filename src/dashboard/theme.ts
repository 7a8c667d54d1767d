import { h, setText } from './dom.ts';

const KEY = 'pilotlight-theme';
const THEMES = ['auto', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

/** The button that goes through the themes: as the system has it, light, dark. */
export function themeButton(): HTMLElement {
  let theme: Theme = THEMES.find((each) => each === localStorage.getItem(KEY)) ?? 'auto';
  const button = h('button', {
    type: 'button',
    onclick: () => {
      theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] as Theme;
      localStorage.setItem(KEY, theme);
      apply();
    },
  });
  const apply = () => {
    document.documentElement.dataset['theme'] = theme;
    setText(button, `Theme: ${theme}`);
    document.dispatchEvent(new Event('themechange'));
  };
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', apply);
  apply();
  return button;
}
