import { CodedError } from '../core/errors.ts';

/** What is wrong with a certificate, a private key, or the names one is wanted for. */
export type CertificateErrorCode =
  | 'Missing'
  | 'InvalidCertificate'
  | 'InvalidKey'
  | 'KeyMismatch'
  | 'Expired'
  | 'NotYetValid'
  | 'InvalidName';
export class CertificateError extends CodedError<CertificateErrorCode> {}

/** What is wrong with an object in the cluster that certificates are kept in. */
export type CertificateObjectErrorCode = 'InvalidSecret' | 'InvalidWebhookConfiguration' | 'Unsettled';
export class CertificateObjectError extends CodedError<CertificateObjectErrorCode> {}
