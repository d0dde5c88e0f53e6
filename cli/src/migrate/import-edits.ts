import type { Node, ObjectPattern } from 'oxc-parser';
import type { Decision, NameOf } from './decision.js';
import type { Edits } from './edits.js';
import type { SourceFile } from './source-file.js';
import { isFunction } from './syntax.js';
import type { Binding, Container, Mention, WsWithNames } from './ws-with-names.js';

/** What becomes of the names that one import or pattern takes from the package. */
interface ContainerEdits {
  readonly removed: Set<Node>;
  /** New names, by the item that they replace or follow. */
  readonly added: Map<Node, string[]>;
  /** Those added here. */
  readonly names: AddedName[];
}

interface AddedName {
  readonly exported: string;
  readonly local: string;
  readonly isTypeOnly: boolean;
}

/** The names that rewritten mentions use: those imported already, and those that must be. */
export class ImportEdits {
  readonly #source: SourceFile;
  readonly #names: WsWithNames;
  readonly #containers = new Map<Container, ContainerEdits>();

  constructor(source: SourceFile, names: WsWithNames, decisions: readonly Decision[]) {
    this.#source = source;
    this.#names = names;
    const gone = new Set<Mention>(decisions.filter(({ stays }) => !stays).map(({ mention }) => mention));
    const absorbed = new Set(decisions.flatMap(({ absorbs = [] }) => absorbs));
    const changed = new Set<Binding>();
    for (const binding of names.bindings) {
      const mentions = names.mentions.filter((mention) => mention.binding === binding);
      const left = mentions.filter((mention) => !gone.has(mention) && !absorbed.has(mention.node));
      if (left.length > 0 || mentions.length === 0) continue;
      changed.add(binding);
      this.#editsOf(binding.container).removed.add(binding.item);
    }
    for (const binding of changed) this.#keepAlias(binding, decisions);
  }

  /** What a name is called where the mention stands; it is imported there if it is not yet. */
  nameFor({ prefix, binding, node }: Mention): NameOf {
    if (prefix !== '' || binding === undefined) return (exported) => `${prefix}${exported}`;
    const isType = node.type !== 'Identifier' || binding.isTypeOnly;
    return (exported) => this.#boundName(exported, binding, isType) ?? this.#add(exported, binding);
  }

  write(edits: Edits): void {
    for (const [container, each] of this.#containers) this.#writeContainer(edits, container, each);
  }

  /** An alias says nothing of sessions: where it becomes another name as a whole, it stays. */
  #keepAlias(binding: Binding, decisions: readonly Decision[]): void {
    const needs = new Set(decisions.filter(({ mention }) => mention.binding === binding).flatMap((decision) => decision.needs[0] ?? []));
    const [name] = needs;
    if (binding.local === binding.exported || name === undefined || needs.size > 1 || name === 'withUserFrom') return;
    if (this.#boundName(name, binding, binding.isTypeOnly) !== undefined) return;
    const { added, names } = this.#editsOf(binding.container);
    added.set(binding.item, [this.#itemText(binding, name, binding.local)]);
    names.push({ exported: name, local: binding.local, isTypeOnly: binding.isTypeOnly });
  }

  /** The name that it has already, there or where it is in reach. */
  #boundName(exported: string, { container, isOfFile }: Binding, isType: boolean): string | undefined {
    const { scopes } = this.#source;
    for (const binding of this.#names.bindings) {
      if (binding.exported !== exported || (binding.isTypeOnly && !isType)) continue;
      const isShadowed = scopes.isShadowed(binding.local);
      if (binding.container === container ? !(isOfFile && isShadowed) : this.#isInReach(binding.container, container) && !isShadowed) {
        this.#containers.get(binding.container)?.removed.delete(binding.item);
        return binding.local;
      }
    }
    const added = [...this.#containers].flatMap(([each, { names }]) => {
      const name = names.find((one) => one.exported === exported && (isType || !one.isTypeOnly));
      const isReused = each === container || (this.#isInReach(each, container) && name?.local === exported);
      return name !== undefined && isReused ? [{ container: each, name }] : [];
    });
    return (added.find((each) => each.container === container) ?? added[0])?.name.local;
  }

  /** Whether names of one container may be used for another's: both are imports, or both stand there at once, for the whole file. */
  #isInReach(container: Container, other: Container): boolean {
    if (container.type === 'ImportDeclaration' || other.type === 'ImportDeclaration') return container.type === other.type;
    return container.start < other.start && this.#isAtOnceOfFile(container) && this.#isAtOnceOfFile(other);
  }

  /** Whether a pattern takes names for the whole file without waiting for the module. */
  #isAtOnceOfFile(pattern: ObjectPattern): boolean {
    const parent = this.#source.parentOf(pattern);
    return parent?.type === 'VariableDeclarator' && parent.init?.type !== 'AwaitExpression' && this.#isOfFile(pattern);
  }

  #add(exported: string, binding: Binding): string {
    const { added, names } = this.#editsOf(binding.container);
    let local = exported;
    for (let count = 2; this.#isTaken(local, binding.container); count += 1) local = `${exported}${count}`;
    added.set(binding.item, [...(added.get(binding.item) ?? []), this.#itemText(binding, exported, local)]);
    names.push({ exported, local, isTypeOnly: binding.isTypeOnly });
    return local;
  }

  #isTaken(local: string, container: Container): boolean {
    const scope = this.#scopeOf(container);
    const isAdded = ([each, { names }]: [Container, ContainerEdits]): boolean =>
      names.some((name) => name.local === local) && this.#scopeOf(each) === scope;
    return this.#source.scopes.isTaken(local) || [...this.#containers].some(isAdded);
  }

  /** What the names of a container are declared in. */
  #scopeOf(container: Container): Node | undefined {
    let scope = this.#source.parentOf(container);
    while (
      scope !== undefined &&
      !isFunction(scope) &&
      !/^(Program|BlockStatement|StaticBlock|SwitchStatement|TSModuleBlock)$/.test(scope.type)
    )
      scope = this.#source.parentOf(scope);
    return scope;
  }

  #itemText({ item, container }: Binding, exported: string, local: string): string {
    if (container.type === 'ObjectPattern') return exported === local ? exported : `${exported}: ${local}`;
    const type = item.type === 'ImportSpecifier' ? this.#source.text.slice(item.start, item.imported.start) : '';
    return `${type}${exported}${exported === local ? '' : ` as ${local}`}`;
  }

  #editsOf(container: Container): ContainerEdits {
    const edits = this.#containers.get(container) ?? { removed: new Set(), added: new Map(), names: [] };
    this.#containers.set(container, edits);
    return edits;
  }

  #isOfFile(container: Container): boolean {
    return this.#names.bindings.some((binding) => binding.container === container && binding.isOfFile);
  }

  #writeContainer(edits: Edits, container: Container, { removed, added }: ContainerEdits): void {
    const all: readonly Node[] = container.type === 'ImportDeclaration' ? container.specifiers : container.properties;
    if (added.size === 0 && removed.size === all.length && this.#removeWhole(edits, container)) return;
    const waiting = [...added];
    for (const item of all.filter((each) => removed.has(each))) {
      const own = waiting.findIndex(([anchor]) => anchor === item);
      const [names] = own < 0 ? [] : waiting.splice(own, 1);
      if (names === undefined) continue;
      edits.replace(item, names[1].toSorted().join(this.#separatorAt(item)));
      removed.delete(item);
    }
    for (const [anchor, names] of waiting) edits.insert(anchor.end, ['', ...names.toSorted()].join(this.#separatorAt(anchor)));
    edits.removeItems(all, removed);
  }

  /** A comma, and what stands before the item where it begins a line. */
  #separatorAt({ start }: Node): string {
    const lineStart = /(\r\n|\n|\r)[ \t]*$/.exec(this.#source.text.slice(0, start));
    return lineStart === null ? ', ' : `,${lineStart[0]}`;
  }

  /** Removes an import or a declaration that takes nothing any more, with its line. */
  #removeWhole(edits: Edits, container: Container): boolean {
    const parent = this.#source.parentOf(container);
    const statement = container.type === 'ImportDeclaration' ? container : parent && this.#source.parentOf(parent);
    if (statement === undefined || this.#source.hasComment(statement.start, statement.end)) return false;
    if (statement.type !== 'ImportDeclaration' && (statement.type !== 'VariableDeclaration' || statement.declarations.length > 1))
      return false;
    const lineEnd = /^[ \t]*(\r\n|\n|\r)/.exec(this.#source.text.slice(statement.end));
    edits.remove(statement.start, statement.end + (lineEnd?.[0].length ?? 0));
    return true;
  }
}
