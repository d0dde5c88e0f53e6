/** Listens to the errors of a raw socket while its upgrade is looked at: without a listener, a reset would end the process. */
export function ignoreError(): void {}
