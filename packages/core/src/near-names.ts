/** The `known` names that `name` is most probably a slip of: the nearest, as many as are equally near. */
export function nearNames(name: string, known: readonly string[]): readonly string[] {
  const most = Math.max(2, Math.floor(name.length / 3));
  const distances = known.map((candidate) => editDistance(name, candidate, most));
  const least = Math.min(...distances);
  return known.filter((candidate, index) => {
    const distance = distances[index]!;
    return distance === least && distance <= most && distance < candidate.length;
  });
}

/** Insertions, deletions and substitutions between two names, or a number above `most` when there are more. */
function editDistance(from: string, to: string, most: number): number {
  if (Math.abs(from.length - to.length) > most) return most + 1;
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const substituted = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
