// What Slack's own types say of the four things that we hand to Slack. From this slack.schema.json is generated.
// Views are narrowed to the blocks that Slack knows: their official type takes any object with a `type`.

import type { HomeView, KnownBlock, MessageMetadata, ModalView } from '@slack/types';
import type { AppsManifestCreateArguments } from '@slack/web-api';

export type Blocks = KnownBlock[];
export type Modal = Omit<ModalView, 'blocks'> & { blocks: Blocks };
export type Home = Omit<HomeView, 'blocks'> & { blocks: Blocks };
export type Metadata = MessageMetadata;
export type AppManifest = AppsManifestCreateArguments['manifest'];
