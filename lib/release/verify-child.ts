import { serveChild } from '../heavy/index.ts';
import { verifyRelease, type VerifyReleaseOptions } from './verify.ts';

serveChild((input: VerifyReleaseOptions) => verifyRelease(input));
