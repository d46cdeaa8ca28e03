// New objects are zeroed (`__new` of ~lib/rt/tcms), yet each constructor sets every field without a value to zero once more, and asks for an
// object that is already there.

/** Statement 0 allocates, fields' values follow. Ends at the first statement of another kind, or with one that looks at the object. */
export function shortenConstructor(binaryen, module, body) {
  const statements = firstBlock(binaryen, body);
  const written = new Set();
  for (let at = 1; at < statements.numChildren; ) {
    const statement = binaryen.getExpressionInfo(statements.getChildAt(at));
    if (asksForObject(binaryen, statement)) {
      statements.removeChildAt(at);
    } else if (setsField(binaryen, module, statement)) {
      const { target, operands } = statement;
      if (!written.has(target) && isZero(binaryen, module, operands[1])) statements.removeChildAt(at);
      else at++;
      written.add(target);
    } else {
      return;
    }
  }
}

/** The innermost block that a body begins with. */
function firstBlock(binaryen, body) {
  const first = new binaryen.Block(body).getChildAt(0);
  return binaryen.getExpressionId(first) === binaryen.BlockId ? firstBlock(binaryen, first) : new binaryen.Block(body);
}

/** `this = Object#constructor(this)`, of classes without a constructor: it gives `this` back. */
function asksForObject(binaryen, { id, index, value }) {
  if (id !== binaryen.LocalSetId || index !== 0) return false;
  return binaryen.getExpressionInfo(value).target === '~lib/object/Object#constructor';
}

/** `this.field = value` by the setter that the compiler makes for a field, with a value that does not come from `this`. */
function setsField(binaryen, module, { id, target, operands }) {
  const { CallId, emitText, getFunctionInfo } = binaryen;
  if (id !== CallId || !target.includes('#set:') || emitText(operands[0]).trim() !== '(local.get $0)') return false;
  const setter = emitText(getFunctionInfo(module.getFunction(target)).body);
  return /^(\(block\s+)?\([if]\d\d\.store/.test(setter) && !emitText(operands[1]).includes('(local.get $0)');
}

function isZero(binaryen, module, expression) {
  const { id, name, value } = binaryen.getExpressionInfo(expression);
  if (id === binaryen.ConstId) return typeof value === 'object' ? value.low === 0 && value.high === 0 : Object.is(Number(value), 0);
  if (id !== binaryen.GlobalGetId) return false;
  const global = binaryen.getGlobalInfo(module.getGlobal(name));
  return !global.mutable && global.init !== 0 && isZero(binaryen, module, global.init);
}
