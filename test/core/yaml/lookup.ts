import { OWN_GROUP } from '../../../core/group.ts';
import { ScanIndex } from '../../../core/scan.ts';
import type { Marker } from '../../../core/marker.ts';
import type { Lookup, Scan } from '../../../core/scan.ts';

export const DIGEST = `sha256:${'a'.repeat(64)}`;

/** Looks markers up among one scan `app` that chose `tag`, and a scan `new` that has chosen nothing yet. */
export function lookupOf(tag = '1.2.3', name = 'ghcr.io/acme/app'): (marker: Marker) => Lookup {
  const scan: Scan = {
    group: OWN_GROUP,
    namespace: 'team',
    name: 'new',
    tagName: 'new',
    generation: 1,
    exportTo: [],
    history: [],
  };
  const inForce = { name, canonicalName: name, tag, digest: DIGEST };
  const index = new ScanIndex();
  index.replace([scan, { ...scan, name: 'app', tagName: 'app', inForce }]);
  return (marker) => index.find(marker, { namespace: 'team' });
}
