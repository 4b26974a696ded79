// T. R. Chandrupatla's root finder (Adv. Eng. Software 28 (1997) 145), step by step: whoever owns the function, which
// may have to wait for a graph, asks for the next point and hands in the value there.

export class Bracket {
  #ends;
  #third;
  #share = 0.5;
  #tolerance;

  /** A root between `a` and `b`, at which the function has values of different sign. */
  constructor([a, valueA], [b, valueB], { absolute = 0, relative = 0 }) {
    this.#ends = [
      { x: a, f: valueA },
      { x: b, f: valueB },
    ];
    this.#tolerance = { absolute, relative };
  }

  /** The end of the bracket at which the function is closer to zero. */
  get best() {
    const [one, other] = this.#ends;
    return Math.abs(one.f) < Math.abs(other.f) ? one : other;
  }

  /** The lower end of the bracket. */
  get lower() {
    return Math.min(...this.#ends.map(({ x }) => x));
  }

  get #room() {
    return Math.abs(this.best.x) * this.#tolerance.relative + this.#tolerance.absolute;
  }

  get #width() {
    return Math.abs(this.#ends[1].x - this.#ends[0].x);
  }

  get isDone() {
    const [one, other] = this.#ends;
    const isBracket = Math.sign(one.f) === -Math.sign(other.f);
    return this.best.f === 0 || !isBracket || this.#width < this.#room;
  }

  /** Where the value is wanted next. */
  get next() {
    const [one, other] = this.#ends;
    return one.x + this.#share * (other.x - one.x);
  }

  take(f) {
    const [one, other] = this.#ends;
    const found = { x: this.next, f };
    const isSame = Math.sign(f) === Math.sign(one.f);
    this.#third = isSame ? one : other;
    this.#ends = [found, isSame ? other : one];
    if (!this.isDone) this.#share = this.#step();
  }

  #step() {
    const [{ x: x1, f: f1 }, { x: x2, f: f2 }] = this.#ends;
    const { x: x3, f: f3 } = this.#third;
    const xi = (x1 - x2) / (x3 - x2);
    const phi = (f1 - f2) / (f3 - f2);
    const alpha = (x3 - x1) / (x2 - x1);
    const isSmooth = 1 - Math.sqrt(1 - xi) < phi && phi < Math.sqrt(xi);
    const inverse = (f1 / (f1 - f2)) * (f3 / (f3 - f2)) - alpha * (f1 / (f3 - f1)) * (f2 / (f2 - f3));
    const edge = (0.5 * this.#room) / this.#width;
    return Math.min(Math.max(isSmooth ? inverse : 0.5, edge), 1 - edge);
  }
}
