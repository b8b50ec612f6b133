// A value of the address if it is one of those allowed; addresses are typed by people.
export function oneOf<T extends string>(value: string | null, allowed: readonly T[]): T | undefined {
  return allowed.find((one) => one === value);
}
