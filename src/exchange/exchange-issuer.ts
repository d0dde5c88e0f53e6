import type { Runtime } from '../channel/runtime.js';
import type { TokenIssuer } from '../contracts/token-repository.js';
import { TOKEN_REPOSITORY } from '../injection.js';

/** An issuer that surely has these methods. */
export type IssuerWith<Method extends keyof TokenIssuer> = Required<Pick<TokenIssuer, Method>>;

/**
 * The issuer that a handler was given, or what is registered as `TOKEN_REPOSITORY`: the repositories of this package are issuers as well.
 *
 * @throws {TypeError} when it lacks one of `methods`.
 * @throws {ChannelError} `ERR_DEPENDENCY_MISSING` when there is none.
 */
export function issuerOf<Method extends keyof TokenIssuer>(
  owner: string,
  runtime: Runtime,
  given: TokenIssuer | undefined,
  ...methods: readonly [Method, ...Method[]]
): IssuerWith<Method> {
  return runtime.bind({
    bind(dependencies) {
      const [first] = methods;
      const names = { wrapper: owner, option: 'tokens', token: 'TOKEN_REPOSITORY', method: first };
      const issuer = dependencies.require<object>(given, TOKEN_REPOSITORY, names);
      // a repository that was resolved before was looked at for other methods
      for (const method of methods) dependencies.check(issuer, { ...names, method });
      return issuer as IssuerWith<Method>;
    },
  });
}
