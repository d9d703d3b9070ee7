import type { factors as english } from './factors-en.ts';

export const factors: typeof english = {
  factorTitle: 'Un paso más',
  factorMeans: 'Para continuar como {person}, demuestre con un segundo factor que es usted.',
  factorUsePasskey: 'Usar una llave de acceso',
  factorCode: 'Los seis dígitos que muestra su aplicación de autenticación',
  factorUseRecovery: 'Usar un código de recuperación',
  factorRecoveryCode: 'Uno de los códigos de recuperación que ha guardado',
  factorLost:
    '¿No tiene nada de esto a mano? Un administrador de su organización puede restablecer sus segundos factores.',
  factorWrong: 'Ese código no es correcto. Mírelo de nuevo o espere al siguiente.',
  factorUsed: 'Ese código ya se usó. Espere al siguiente.',
  factorRecoveryWrong: 'Ese código no es correcto o ya se usó. Mírelo de nuevo o use otro.',
  factorLocked: 'Hubo demasiados códigos erróneos. Espere un cuarto de hora o más, o use otra cosa.',
  factorPasskeyStopped: 'La llave de acceso no fue aceptada. Inténtelo de nuevo o use otra cosa.',
  factorNeeded: 'Se necesita un segundo factor',
  factorNeededMeans: 'Su organización o la aplicación pide más de una prueba de que es usted. Elija qué configura.',
  factorEnrolTotp: 'Configurar una aplicación de autenticación',
  factorEnrolPasskey: 'Configurar una llave de acceso',
  factorTotpMeans: 'Escanee esta imagen con una aplicación de autenticación e introduzca los seis dígitos que muestra.',
  factorPicture: 'Una imagen que leen las aplicaciones de autenticación',
  factorSecret: 'O introduzca allí esta clave:',
  factorPasskeyMeans: 'Su dispositivo guarda la llave de acceso y le pide su dedo, su cara o su código cuando la usa.',
  factorName: 'Cómo llama a este dispositivo, si quiere',
  factorNeedsScript:
    'Este navegador no tiene llaves de acceso, o sus scripts están desactivados. Use otro navegador o dispositivo.',
  factorRecoveryTitle: 'Guarde estos códigos de recuperación',
  factorRecoveryMeans:
    'Si pierde su segundo factor, cada uno de ellos le deja entrar una vez. No se muestran de nuevo.',
  factorRecoveryKept: 'Los he guardado',
};
