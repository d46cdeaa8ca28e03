import Type from 'typebox';
import { describedName, Id } from '../names.ts';

/** Parameters of the path. */
export const ServicePath = Type.Object({ service: describedName('Name of the service') });
export const FeaturePath = Type.Object({ service: describedName('Name of the service'), feature: describedName('Name of the feature') });
export const RecoveryPath = Type.Object({ service: describedName('Name of the service'), id: Id });
