/** fast-check, as tests of properties use it. */
import fc from "fast-check";

/**
 * In CI the same inputs each time: what fails there is then of the change that is looked at. Chance looks for more
 * wherever else the tests run.
 */
const SEED_IN_CI = 20_261_122;

if (process.env["CI"]) fc.configureGlobal({ seed: SEED_IN_CI });

export { fc };
