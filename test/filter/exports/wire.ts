import { problemLine } from "../../../filter/settings";
export { problemLine };
export { parseDirective, parsePolicy, encodeFlags } from "../../../filter/wire/directive";
export { encodeReport, parseReportReply } from "../../../filter/wire/report";
export { parseSettings } from "../../../filter/settings";
