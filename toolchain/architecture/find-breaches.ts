import { circlesIn, shortestCircle } from './circles.ts';
import type { Rules } from './rules.ts';
import { graphOf, type Import, importsOf, linesOf, type SourceFile } from './source.ts';

/**
 * What breaks the rules, a line per breach: `path: what is wrong`.
 * @param sources all files of src
 * @param tests all files of test
 */
export function findBreaches(sources: readonly SourceFile[], tests: readonly SourceFile[], rules: Rules): string[] {
  return [
    ...nothingToCheck(sources),
    ...sources.flatMap((file) => breachesOf(file, rules)),
    ...missingRooms(sources, rules),
    ...spelledKinds(sources, rules),
    ...circleBreaches(sources),
    ...strayTests(sources, tests, rules),
  ];
}

/** A check that looks at the wrong place must not pass. */
function nothingToCheck(sources: readonly SourceFile[]): string[] {
  const imports = sources.flatMap(importsOf).length;
  return imports > 0 ? [] : [`src: nothing to check: ${sources.length} files, ${imports} imports`];
}

function breachesOf(file: SourceFile, rules: Rules): string[] {
  const breaches: string[] = [];
  const inside = insideOf(file.path);
  const [folder, room] = placeOf(inside);
  const rooms = rules.rooms[folder];
  if (!(folder in rules.mayImport)) breaches.push(`lies in ${folder}, which the rules do not know`);
  if (rooms !== undefined && !rooms.includes(room)) {
    breaches.push(`lies in ${folder}/${room}, which the list of rooms does not know`);
  }
  if (/(?<![.\w])process\.env\b/.test(file.text) && !rules.environmentIn.includes(folder)) {
    breaches.push('reads process.env');
  }
  const lines = linesOf(file.text);
  if (lines > rules.mostLines) breaches.push(`has ${lines} lines, ${rules.mostLines} at most`);
  for (const one of importsOf(file)) {
    if (rules.inBrowsers.includes(folder) && !one.isType && one.path?.startsWith(`src/${folder}/`) !== true) {
      breaches.push(`imports ${one.specifier} for more than its types, in a browser`);
    }
    const breach =
      one.path === undefined ? packageBreach(inside, one, rules) : importBreach(inside, one as PathImport, rules);
    if (breach !== undefined) breaches.push(breach);
  }
  return breaches.map((what) => `${file.path}: ${what}`);
}

function packageBreach(inside: string, { specifier }: Import, { confined }: Rules): string | undefined {
  if (specifier.startsWith('node:')) return undefined;
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  if (confined[name] === undefined) return `imports the package ${name}, which is confined nowhere`;
  const places = [confined[name]].flat();
  if (places.some((place) => inside.startsWith(place))) return undefined;
  return `imports the package ${name}, which is confined to ${places.map((place) => `src/${place}`).join(' and ')}`;
}

type PathImport = Import & { path: string };

function importBreach(inside: string, { specifier, path }: PathImport, rules: Rules): string | undefined {
  if (!path.startsWith('src/')) return `imports ${specifier} from outside of src`;
  const [folder, room] = placeOf(inside);
  const [other, otherRoom] = placeOf(insideOf(path));
  if (folder !== other) {
    const open = other === 'util' || other === 'model' || rules.mayImport[folder]?.includes(other);
    return open ? undefined : `imports ${other} (${specifier})`;
  }
  if (room === otherRoom) return undefined;
  const rooms = rules.rooms[folder];
  if (rooms !== undefined && rooms.indexOf(otherRoom) < rooms.indexOf(room)) return `imports upwards, ${path}`;
  const aside = rules.apart.includes(folder) && isFolder(room) && isFolder(otherRoom);
  return aside ? `imports its sibling, ${path}` : undefined;
}

/**
 * Where a kind is spelled out, or one of its forms (`docker-container`), the next kind needs a change. The names are those
 * of the subfolders.
 */
function spelledKinds(sources: readonly SourceFile[], { apart, kindsIn }: Rules): string[] {
  const places = sources.map(({ path }) => placeOf(insideOf(path)));
  return apart.flatMap((folder) => {
    const kinds = new Set(places.filter(([top, room]) => top === folder && isFolder(room)).map(([, room]) => room));
    return [...kinds].flatMap((kind) =>
      sources.flatMap(({ path, text }) => {
        const [top, room] = placeOf(insideOf(path));
        if ((top === folder && room === kind) || kindsIn.includes(top) || kindsIn.includes(`${top}/${room}`)) return [];
        const spelled = new RegExp(`'(${kind}(?:-[a-z]+)*)'`).exec(text)?.[1];
        return spelled === undefined ? [] : [`${path}: spells out ${spelled}, a kind of ${folder}`];
      }),
    );
  });
}

/** A list that names what is not there misleads. */
function missingRooms(sources: readonly SourceFile[], { rooms }: Rules): string[] {
  const there = new Set(sources.map(({ path }) => placeOf(insideOf(path)).join('/')));
  return Object.entries(rooms).flatMap(([folder, names]) => {
    const missing = names.filter((room) => !there.has(`${folder}/${room}`));
    return missing.map((room) => `src/${folder}: has no ${room}, which the list of rooms names`);
  });
}

/** No file may lead back to itself, not even by types; tells for each file a shortest way that does, each way once. */
function circleBreaches(sources: readonly SourceFile[]): string[] {
  const graph = graphOf(sources);
  const told = new Set<string>();
  return circlesIn(graph)
    .flat()
    .flatMap((file) => {
      const circle = shortestCircle(graph, file);
      const key = [...circle].sort().join();
      if (told.has(key)) return [];
      told.add(key);
      return [`${file}: stands in a circle: ${[...circle, file].map(insideOf).join(' → ')}`];
    });
}

/** Tests lie where their source lies: `test/a/b/` is there only if `src/a/b/` is. */
function strayTests(sources: readonly SourceFile[], tests: readonly SourceFile[], rules: Rules): string[] {
  const folders = new Set(sources.flatMap(({ path }) => foldersAbove(insideOf(path))));
  return tests.flatMap(({ path }) => {
    if (!path.endsWith('.test.ts')) return [];
    const folder = path.slice('test/'.length, path.lastIndexOf('/'));
    if (folders.has(folder) || rules.testsOfTheirOwn.includes(placeOf(folder)[0])) return [];
    return [`${path}: tests nothing of src/${folder}, which does not exist`];
  });
}

function foldersAbove(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function insideOf(path: string): string {
  return path.slice('src/'.length);
}

/** The folder (or file) of src that a path leads into, and the room (or file) in there. */
function placeOf(inside: string): [folder: string, room: string] {
  const [folder = '', room = ''] = inside.split('/');
  return [folder, room];
}

function isFolder(name: string): boolean {
  return !name.endsWith('.ts');
}
