/** The variable by which every process of a scenario is known, whoever its parent is: `RUN.SERIAL`. */
export const MARK_VARIABLE = 'PILOTLIGHT_SCENARIO';
/** The label by which every container of a scenario is known: `RUN.SERIAL`. */
export const MARK_LABEL = 'pilotlight-scenario';
/** The label by which the containers of all scenarios of one test process are known: `RUN`. */
export const RUN_LABEL = 'pilotlight-scenario-run';
