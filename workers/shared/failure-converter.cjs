const { DefaultFailureConverter } = require('@temporalio/common');

/**
 * Error messages and stack traces travel as payloads, which the codec encrypts: a message may quote what a workflow
 * worked on. CommonJS, because Temporal loads it by `require`, in the worker and in the workflow bundle.
 */
exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
