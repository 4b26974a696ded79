/** What is wrong with a bundle or a request: at which stage, by which code of the catalogue, at which place. */
export class Fault extends Error {
  constructor(stage, code, pointer, message) {
    super(message);
    Object.assign(this, { stage, code, pointer });
  }
}
