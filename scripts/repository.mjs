/**
 * The addresses that hang on where the repository is.
 *
 * @param {{ readonly repository: { readonly url: string, readonly directory?: string } }} manifest
 */
export function addressesOf({ repository: { url, directory } }) {
  const site = url.replace(/^git\+/, '').replace(/\.git$/, '');
  const tree = directory === undefined ? site : `${site}/tree/HEAD/${directory}`;
  return { site, homepage: `${tree}#readme`, issues: `${site}/issues`, files: `${site}/blob/HEAD/`, images: `${site}/raw/HEAD/` };
}

/**
 * Whether nobody has said yet where the repository is.
 *
 * @param {{ readonly repository: { readonly url: string } }} manifest
 */
export function isPlaceholder({ repository: { url } }) {
  return /\/OWNER\//.test(url);
}
