// How the collector finds references: the compiler writes one arm for each class, though most have no references, or the same as another
// (all arrays of objects do), and looks twice whether a global is null.

const visit = '~lib/rt/tcms/__visit';

export function shortenVisits(binaryen, module) {
  if (module.getFunction(visit) === 0) return;
  replaceBody(binaryen, module, '~lib/rt/__visit_members', mergeArms);
  replaceBody(binaryen, module, '~lib/rt/__visit_globals', dropNullChecks);
}

function replaceBody(binaryen, module, name, change) {
  const { params, results, vars, body } = binaryen.getFunctionInfo(module.getFunction(name));
  const changed = change(binaryen, module, body);
  module.removeFunction(name);
  module.addFunction(name, params, results, vars, changed);
}

/** `block $b1 (block $b0 (br_table $b0 $b1 ...) arm 0) arm 1 ...`, with one block for all classes whose arms do the same. */
function mergeArms(binaryen, module, body) {
  const { BlockId, CallId, SwitchId, getExpressionId, getExpressionInfo } = binaryen;
  const arms = new Map();
  let inner = body;
  let info = getExpressionInfo(inner);
  for (; info.id === BlockId; info = getExpressionInfo(inner)) {
    const [first, arm] = info.children;
    const next = getExpressionInfo(first);
    if (next.id === BlockId) arms.set(next.name, getExpressionId(arm) === CallId ? getExpressionInfo(arm).target : '');
    inner = first;
  }
  if (info.id !== SwitchId) throw new Error('__visit_members is not what the compiler makes today');
  const targets = new Map();
  const labelOf = (name) => {
    const target = arms.get(name);
    const does = target === '' ? '' : binaryen.emitText(binaryen.getFunctionInfo(module.getFunction(target)).body);
    if (!targets.has(does)) targets.set(does, { label: `arm${targets.size}`, target });
    return targets.get(does).label;
  };
  const labels = info.names.map(labelOf);
  let code = module.switch(labels, 'unknown', module.copyExpression(info.condition));
  for (const { label, target } of targets.values()) {
    const self = () => [module.local.get(0, binaryen.i32), module.local.get(1, binaryen.i32)];
    const arm = target === '' ? [] : [module.call(target, self(), binaryen.none)];
    code = module.block(label, [code]);
    code = module.block(null, [code, ...arm, module.return()]);
  }
  return module.block(null, [module.block('unknown', [code]), module.unreachable()]);
}

/** `if (global) visit(global)` as `visit(global)`: it looks itself. */
function dropNullChecks(binaryen, module, body) {
  const statements = new binaryen.Block(body);
  for (let i = 0; i < statements.numChildren; i++) {
    const { id, condition, ifTrue } = binaryen.getExpressionInfo(statements.getChildAt(i));
    if (id !== binaryen.IfId) continue;
    const { value } = binaryen.getExpressionInfo(condition);
    const { target, operands } = binaryen.getExpressionInfo(ifTrue);
    if (target === visit && value !== undefined) statements.setChildAt(i, module.call(visit, [value, operands[1]], binaryen.none));
  }
  return body;
}
