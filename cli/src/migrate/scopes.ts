import { type Variable as AnalyzedVariable, analyze, type ScopeManager } from '@typescript-eslint/scope-manager';
import type { Node, Program } from 'oxc-parser';

/** What a name in one scope stands for. */
export interface Variable {
  readonly name: string;
  /** What declares it: declarations, specifiers, functions whose parameter it is. */
  readonly definitions: readonly Node[];
  /** Every mention but its declaration, in types too. */
  readonly references: readonly Node[];
  /** Whether it may come to hold something else than what it was declared with. */
  readonly isReassigned: boolean;
  readonly isOfFile: boolean;
}

/** The scopes of a file: which mention of a name means which declaration. */
export class Scopes {
  readonly #variables = new Map<Node, Variable>();
  readonly #arguments = new Map<Node, readonly Node[]>();
  readonly #names = new Set<string>();
  readonly #innerNames = new Set<string>();

  constructor(program: Program) {
    // the analysis reads ESTree with the nodes of TypeScript, as oxc makes it; only the names of the types differ
    const tree = program as unknown as Parameters<typeof analyze>[0];
    const manager: ScopeManager = analyze(tree, { sourceType: 'module', lib: [], jsxPragma: null });
    const ofFile = manager.globalScope?.childScopes[0];
    for (const scope of manager.scopes) {
      for (const variable of scope.variables) {
        this.#names.add(variable.name);
        if (scope !== ofFile) this.#innerNames.add(variable.name);
        this.#add(variable, scope === ofFile);
      }
      const mentions = scope.set.get('arguments')?.references ?? [];
      if (mentions.length > 0) {
        this.#arguments.set(
          asNode(scope.block),
          mentions.map(({ identifier }) => asNode(identifier)),
        );
      }
      for (const { identifier, resolved } of scope.references) if (resolved === null) this.#names.add(identifier.name);
    }
  }

  /** The variable that an identifier declares or mentions; `undefined` for globals and for names that are no variables. */
  variableOf(identifier: Node): Variable | undefined {
    return this.#variables.get(identifier);
  }

  /** Where a function mentions all that it is given: `arguments`. */
  argumentsOf(run: Node): readonly Node[] {
    return this.#arguments.get(run) ?? [];
  }

  /** Whether a new name of the file would mean something else somewhere in it. */
  isTaken(name: string): boolean {
    return this.#names.has(name);
  }

  /** Whether a name of the file means something else in one of its functions or blocks. */
  isShadowed(name: string): boolean {
    return this.#innerNames.has(name);
  }

  #add({ name, defs, identifiers, references }: AnalyzedVariable, isOfFile: boolean): void {
    const mentions = references.filter(({ init }) => init !== true).map(({ identifier }) => asNode(identifier));
    const variable: Variable = {
      name,
      isOfFile,
      definitions: defs.map(({ node }) => asNode(node)),
      references: [...new Set(mentions)],
      isReassigned: references.some((reference) => reference.isWrite() && reference.init !== true),
    };
    for (const node of [...identifiers.map(asNode), ...references.map(({ identifier }) => asNode(identifier))]) {
      this.#variables.set(node, variable);
    }
  }
}

/** The same node, under the name that oxc has for it. */
function asNode(node: object): Node {
  return node as Node;
}
