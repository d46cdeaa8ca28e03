// An asc transform that drops what the compiler writes and the runtime does not need (docs/adr/0006-small-module.md).
import { Transform } from 'assemblyscript/transform';
import { shortenConstructor } from './constructor.mjs';
import { shortenVisits } from './visits.mjs';

export default class LeanCode extends Transform {
  afterCompile(module) {
    for (let i = 0; i < module.getNumFunctions(); i++) {
      const { name, body } = this.binaryen.getFunctionInfo(module.getFunctionByIndex(i));
      if (body !== 0 && name.endsWith('#constructor')) shortenConstructor(this.binaryen, module, body);
    }
    shortenVisits(this.binaryen, module);
  }
}
