import { describe, expect, test } from '@jest/globals';
import { palette, style } from './style.ts';

/** WCAG 2.2, relative luminance. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map(at => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
    .map(part => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

test('contrast is computed as WCAG has it', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21, 5);
  expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
});

describe.each(['light', 'dark'] as const)('in the %s scheme', scheme => {
  const { around, ground, text, muted, line, accent, onAccent, alert } = palette[scheme];

  test.each([
    ['text', text, ground],
    ['text on what is around', text, around],
    ['muted text', muted, ground],
    ['muted text on what is around', muted, around],
    ['links', accent, ground],
    ['what is on a button', onAccent, accent],
    ['what went wrong', alert, ground],
  ])('%s can be read (4.5:1)', (_, one, other) => {
    expect(contrast(one, other)).toBeGreaterThanOrEqual(4.5);
  });

  test.each([
    ['the edge of a field or a button', line, ground],
    ['the edge of the page', line, around],
    ['the focus', accent, ground],
    ['the mark of what went wrong', alert, ground],
  ])('%s can be seen (3:1)', (_, one, other) => {
    expect(contrast(one, other)).toBeGreaterThanOrEqual(3);
  });
});

test('nothing moves, and no colour is used that is not among those', () => {
  expect(style).not.toMatch(/transition|animation|@keyframes/);
  const allowed = [...Object.values(palette.light), ...Object.values(palette.dark), '#fff'];
  expect((style.match(/#[\da-f]{3,8}/g) ?? []).filter(colour => !allowed.includes(colour as never))).toEqual([]);
});
