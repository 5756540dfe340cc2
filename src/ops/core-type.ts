/** Which type an operator's own kernel writes when epilogue steps follow. */
import type { ElementType, Epilogue } from '../graph/graph.ts';

/** The type that the operator's own kernel writes, before its epilogue. */
export function coreOutputType(epilogue: readonly Epilogue[] | undefined, output: ElementType): ElementType {
  return epilogue && epilogue.length > 0 ? epilogue[0].from : output;
}
