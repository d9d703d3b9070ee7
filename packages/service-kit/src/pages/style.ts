// How pages look: two colour schemes, one column that fits 320 pixels, nothing that moves. Every pair of colours that
// are read on one another is in `style.test.ts` with its contrast.
import { createHash } from 'node:crypto';

export const palette = {
  light: {
    around: '#f3f4f6',
    ground: '#ffffff',
    text: '#1a1f26',
    muted: '#4d5763',
    line: '#767f8a',
    accent: '#1f4fb8',
    onAccent: '#ffffff',
    alert: '#a61b14',
  },
  dark: {
    around: '#0d0f12',
    ground: '#171a1f',
    text: '#e8eaed',
    muted: '#b1b9c3',
    line: '#7f8a97',
    accent: '#8ab4ff',
    onAccent: '#10131a',
    alert: '#ff9a91',
  },
} as const;

const variables = (colours: Record<string, string>) =>
  Object.entries(colours)
    .map(([name, colour]) => `--${name}:${colour}`)
    .join(';');

// A logo is made for white, whatever the scheme. Sizes are in rem: they grow with the reader's letters.
export const style = `
:root{color-scheme:light dark;${variables(palette.light)}}
@media (prefers-color-scheme:dark){:root{${variables(palette.dark)}}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;min-height:100vh;padding:1rem;display:grid;align-content:center;justify-items:center;background:var(--around);color:var(--text);font:1rem/1.5 system-ui,sans-serif}
header,main{width:100%;max-width:30rem;overflow-wrap:anywhere}
header{display:flex;flex-wrap:wrap;align-items:center;gap:.25rem .75rem;padding:0 .25rem .75rem;font-weight:600}
header img{max-width:10rem;height:2.5rem;object-fit:contain;background:#fff;padding:.25rem;border-radius:.375rem}
header .product{font-weight:400;color:var(--muted)}
main{background:var(--ground);border:1px solid var(--line);border-radius:.75rem;padding:1.5rem}
@media (max-width:24rem){main{padding:1rem}}
h1{font-size:1.375rem;line-height:1.3;margin:0 0 .75rem}h2{font-size:1rem;margin:1.75rem 0 .25rem}h3{font-size:1rem;margin:1rem 0 .25rem}
p{margin:.75rem 0}ul{margin:.25rem 0;padding-left:1.25rem}
dl{margin:0;padding:0;font-size:.9375rem}
.for-help{margin:1.5rem 0 .5rem;padding-top:.75rem;border-top:1px solid var(--line);font-size:.9375rem}
dt{color:var(--muted)}dd{margin:0 0 .5rem}
a{color:var(--accent)}
ol{margin:.25rem 0;padding-left:1.5rem}li{margin:.25rem 0}
figure{margin:1rem 0;padding:.75rem;border:1px dashed var(--line);border-radius:.375rem}
fieldset{min-width:0;margin:1rem 0;border:1px solid var(--line);border-radius:.375rem}
label{display:block;margin:.75rem 0 .25rem}
input,textarea,select{font:inherit}
input[type=text],input[type=email],input[type=password],input[type=url],textarea,select{width:100%;min-height:2.75rem;padding:.5rem .75rem;color:var(--text);background:var(--ground);border:1px solid var(--line);border-radius:.375rem}
input[readonly]{background:var(--around)}
textarea{min-height:6rem}
input[type=checkbox]{width:1.5rem;height:1.5rem;margin:0 .375rem 0 0;vertical-align:middle;accent-color:var(--accent)}
input[aria-invalid=true]{border:2px solid var(--alert)}
button,.button{display:inline-block;font:inherit;min-height:2.75rem;padding:.5rem 1.25rem;margin:1rem .5rem 0 0;border-radius:.375rem;border:1px solid var(--line);background:var(--ground);color:var(--text);text-decoration:none;cursor:pointer}
button.primary,.button.primary{background:var(--accent);color:var(--onAccent);border-color:var(--accent)}
details{margin-top:1.25rem}summary{padding:.5rem 0;color:var(--accent);cursor:pointer}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.error{border-left:.25rem solid var(--alert);padding-left:.75rem;color:var(--alert)}
.checks{list-style:none;padding:0}.checks .failed{color:var(--alert)}.checks .not_reached{color:var(--muted)}
.muted{color:var(--muted);font-size:.9375rem}`;

export const styleHash = `'sha256-${createHash('sha256').update(style).digest('base64')}'`;
