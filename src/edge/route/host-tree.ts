interface Node<Value> {
  value: Value | undefined;
  below: Map<string, Node<Value>> | undefined;
}

/** Holds what belongs to `*.suffix` hosts, by labels from the last to the first. Each label of a name is read once. */
export class HostTree<Value> {
  readonly #root: Node<Value> = { value: undefined, below: undefined };

  get isEmpty(): boolean {
    return this.#root.below === undefined;
  }

  /** Returns the value of a suffix such as `example.com`, and makes it if there is none. */
  of(suffix: string, make: () => Value): Value {
    let node = this.#root;
    for (const label of suffix.split('.').reverse()) {
      node.below ??= new Map();
      let next = node.below.get(label);
      if (next === undefined) {
        next = { value: undefined, below: undefined };
        node.below.set(label, next);
      }
      node = next;
    }
    node.value ??= make();
    return node.value;
  }

  /** Returns the value of the longest suffix that a name lies below, at any depth; the suffix itself does not count. */
  longest(name: string): Value | undefined {
    let found: Value | undefined;
    let node: Node<Value> | undefined = this.#root;
    let end = name.length;
    while (end > 0) {
      const dot = name.lastIndexOf('.', end - 1);
      if (dot < 0) break;
      node = node.below?.get(name.slice(dot + 1, end));
      if (node === undefined) break;
      found = node.value ?? found;
      end = dot;
    }
    return found;
  }
}
