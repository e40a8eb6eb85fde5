/** Label of the ImageScans that a GitRepo's files define: the name of that GitRepo. */
export const DEFINED_BY_LABEL = 'fleetscan.io/defined-by';
/** Annotation of such an ImageScan: where its definition begins, as `path:line`. */
export const DEFINED_AT_ANNOTATION = 'fleetscan.io/defined-at';
/** Annotation of such an ImageScan: the fields of `spec` that its definition has, with commas between them. */
export const DEFINED_FIELDS_ANNOTATION = 'fleetscan.io/defined-fields';
