// The few types of the standard library through which members of a project's own types are reached.
// Written for name resolution alone: what is not here has no type, and is then reported as uncertain.

interface Iterable<T> {}
interface IterableIterator<T> extends Iterable<T> {}
interface Generator<T, R, N> extends IterableIterator<T> {}
interface AsyncIterable<T> {}

interface Array<T> extends Iterable<T> {
  length: number;
  at(index: number): T;
  pop(): T;
  shift(): T;
  push(...items: T[]): number;
  unshift(...items: T[]): number;
  concat(...items: T[]): T[];
  reverse(): T[];
  slice(start: number, end: number): T[];
  splice(start: number, count: number, ...items: T[]): T[];
  sort(compare: (a: T, b: T) => number): T[];
  toSorted(compare: (a: T, b: T) => number): T[];
  toReversed(): T[];
  fill(value: T): T[];
  includes(item: T): boolean;
  indexOf(item: T): number;
  join(separator: string): string;
  forEach(callback: (value: T, index: number, array: T[]) => void): void;
  map<U>(callback: (value: T, index: number, array: T[]) => U): U[];
  flatMap<U>(callback: (value: T, index: number, array: T[]) => U[]): U[];
  filter(predicate: (value: T, index: number, array: T[]) => boolean): T[];
  find(predicate: (value: T, index: number, array: T[]) => boolean): T;
  findLast(predicate: (value: T, index: number, array: T[]) => boolean): T;
  findIndex(predicate: (value: T, index: number, array: T[]) => boolean): number;
  some(predicate: (value: T, index: number, array: T[]) => boolean): boolean;
  every(predicate: (value: T, index: number, array: T[]) => boolean): boolean;
  reduce<U>(callback: (previous: U, value: T, index: number, array: T[]) => U, initial: U): U;
  reduceRight<U>(callback: (previous: U, value: T, index: number, array: T[]) => U, initial: U): U;
  keys(): IterableIterator<number>;
  values(): IterableIterator<T>;
  entries(): IterableIterator<[number, T]>;
}
interface ReadonlyArray<T> extends Array<T> {}
interface ArrayConstructor {
  from<T>(items: Iterable<T>): T[];
  of<T>(...items: T[]): T[];
  isArray(value: any): boolean;
}
declare var Array: ArrayConstructor;

interface PromiseLike<T> {
  then<U>(fulfilled: (value: T) => U, rejected: (reason: any) => U): Promise<U>;
}
interface Promise<T> extends PromiseLike<T> {
  then<U>(fulfilled: (value: T) => U, rejected: (reason: any) => U): Promise<U>;
  catch(rejected: (reason: any) => T): Promise<T>;
  finally(done: () => void): Promise<T>;
}
interface PromiseConstructor {
  resolve<T>(value: T): Promise<T>;
  all<T>(values: Iterable<Promise<T>>): Promise<T[]>;
  race<T>(values: Iterable<Promise<T>>): Promise<T>;
}
declare var Promise: PromiseConstructor;

interface Map<K, V> extends Iterable<[K, V]> {
  size: number;
  get(key: K): V;
  set(key: K, value: V): Map<K, V>;
  has(key: K): boolean;
  delete(key: K): boolean;
  clear(): void;
  forEach(callback: (value: V, key: K, map: Map<K, V>) => void): void;
  keys(): IterableIterator<K>;
  values(): IterableIterator<V>;
  entries(): IterableIterator<[K, V]>;
}
interface WeakMap<K, V> {
  get(key: K): V;
  set(key: K, value: V): WeakMap<K, V>;
  has(key: K): boolean;
  delete(key: K): boolean;
}
interface Set<T> extends Iterable<T> {
  size: number;
  add(item: T): Set<T>;
  has(item: T): boolean;
  delete(item: T): boolean;
  clear(): void;
  forEach(callback: (value: T, key: T, set: Set<T>) => void): void;
  values(): IterableIterator<T>;
}
interface Record<K, V> {
  [key: string]: V;
}

interface ObjectConstructor {
  freeze<T>(value: T): T;
  values<T>(value: T): any[];
}
declare var Object: ObjectConstructor;
