import type { KnownBlock, ModalView, HomeView, MessageMetadata } from '@slack/types';
import type { AppsManifestCreateArguments } from '@slack/web-api';
export type Blocks = KnownBlock[];
export type Modal = ModalView;
export type Home = HomeView;
export type Metadata = MessageMetadata;
export type AppManifest = AppsManifestCreateArguments['manifest'];
