/**
 * Import this module once in any process that differentiates: the build of tfjs that Node loads registers no gradients of its own.
 * tfjs keeps its registry in a global, so that gradients registered here serve every copy of the package.
 */
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
