/** Does what may take away the element that has the focus, which goes to what `instead` gives then. */
export function keepingFocus(change, instead) {
  const before = document.activeElement;
  change();
  const isLost = document.activeElement === before || document.activeElement === document.body;
  if (before !== null && before !== document.body && isLost && !before.checkVisibility()) instead().focus();
}
