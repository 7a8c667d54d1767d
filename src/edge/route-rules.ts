/** The rules of one route, compiled. */
export class RouteRules {}
