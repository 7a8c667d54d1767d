import { isGrpc } from '../answer/grpc.ts';
import type { ResponseHead } from '../http1/response.ts';
import type { Service } from '../service/service.ts';
import type { Grade } from '../service/statistics.ts';
import type { Endpoint } from '../upstream/endpoint.ts';

/** Codes of gRPC by which a service says that it has too much to do: RESOURCE_EXHAUSTED and UNAVAILABLE. */
const SHED = new Set(['8', '14']);
/** Those that are errors of the service itself: UNKNOWN, INTERNAL and DATA_LOSS. */
const ERRORS = new Set(['2', '13', '15']);

/** Judges a service and its endpoint by one answer: by the head, or by the trailers of gRPC, which have their own status. */
export class AnswerJudge {
  #grade: Grade | undefined;

  /**
   * The answer begins.
   * @param isLoad it counts as load of the service
   * @param isDelayed its client has kept the endpoint waiting, which then is not to blame
   */
  onHead(response: ResponseHead, service: Service, endpoint: Endpoint, isLoad: boolean, isDelayed: boolean): void {
    this.#grade = gradeOfHead(response, service.policy.shed);
    if (this.#grade === undefined) return;
    if (isLoad) service.statistics.graded(this.#grade);
    if (this.#grade === 'error' && !isDelayed) service.trust.judge(endpoint, 'failure', `status ${response.status}`);
  }

  /** It is whole. @param trailers field lines */
  onEnd(
    status: number,
    trailers: string,
    service: Service,
    endpoint: Endpoint,
    isLoad: boolean,
    isDelayed: boolean,
  ): void {
    if (this.#grade === undefined) {
      const code = /^grpc-status: *(\d+)/im.exec(trailers)?.[1];
      this.#grade = grpcGrade(code);
      if (isLoad) service.statistics.graded(this.#grade);
      if (this.#grade === 'error' && !isDelayed) service.trust.judge(endpoint, 'failure', `grpc-status ${code}`);
    }
    // Whoever sheds load is no worse than the others: without it they would have to do still more.
    if (status < 500 && this.#grade !== 'error') service.trust.judge(endpoint, 'success');
  }
}

/** @returns undefined: the trailers tell */
function gradeOfHead(response: ResponseHead, shed: readonly number[]): Grade | undefined {
  const { status, head } = response;
  if (response.isHttp2 && status === 200 && isGrpc(head.get('content-type'))) {
    const code = head.get('grpc-status');
    return code === undefined ? undefined : grpcGrade(code);
  }
  if (shed.includes(status)) return 'shed';
  if (status >= 500) return 'error';
  return status === 429 ? 'refusal' : 'good';
}

/** An answer of gRPC without its status is broken off, as clients see it: UNKNOWN. */
function grpcGrade(code: string | undefined): Grade {
  if (code === undefined || ERRORS.has(code)) return 'error';
  return SHED.has(code) ? 'shed' : 'good';
}
