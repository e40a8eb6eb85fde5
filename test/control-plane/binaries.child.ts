import { binaries } from './binaries.ts';

// What binaries.test.ts runs twice at the same time: gets kubectl and prints its path.
const [, , cacheFolder = '', mirror = ''] = process.argv;
const { kubectl } = await binaries(['kubectl'], { assets: '', cacheFolder, mirror, go: 'no-such-go' });
process.stdout.write(kubectl);
