/** Version of the module, told in each report and in the log at start. */
export const VERSION: string = "0.1.0";
