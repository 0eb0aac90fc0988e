import { openMemoryState } from '../../backbone/memory.ts';
import { stateContract } from '../contract/state.contract.ts';

stateContract('memory', async () => openMemoryState());
