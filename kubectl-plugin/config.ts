/** The variables of the environment: proxies are found there, as every tool does. */
export function environment(): NodeJS.ProcessEnv {
  return process.env;
}
